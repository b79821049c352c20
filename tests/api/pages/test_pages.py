"""Pages that anybody may open: what they say, to whom, in which language, and what they allow."""

import gzip
import re

import pytest

from ledger.kernel.money import yuan
from tests.stores import on_files_first

NO_SALE = "01a20737-75c3-7cc1-b1f2-e52f15c6c3a7"

pytestmark = on_files_first

HTML = {"Accept": "text/html,application/xhtml+xml"}


class Reader:
    """Somebody with a browser, who remembers nothing but cookies."""

    def __init__(self, server):
        self.http = server.public.http

    def open(self, path, **headers):
        return self.http.get(path, headers=HTML | headers)

    def read(self, path, language="zh"):
        """Open a page in a language, and return its words without its tags."""
        mark = "&" if "?" in path else "?"
        answer = self.open(f"{path}{mark}lang={language}")
        assert answer.status_code == 200, answer.text
        return plain(answer.text)


def plain(html):
    """Return the words of a page, one space apart."""
    words = re.sub(r"<script.*?</script>|<[^>]*>", " ", html, flags=re.DOTALL)
    return " ".join(words.split())


@pytest.fixture
def reader(server, years):
    assert years.last  # There is something to see.
    server.public.http.cookies.clear()
    return Reader(server)


@pytest.fixture(scope="module")
def paths(years):
    """One of every page."""
    sale = years.sale
    opened = next(each for each in years.events if each["type"] == "fund.opened.1")
    return [
        "/",
        "/funds",
        f"/funds/{years.hear}",
        f"/funds/{years.hear}?from=2026-04-01&to=2026-06-30",
        f"/funds/{years.hear}/lines?on=2026-05-06&kind=donation.payment-received",
        f"/events/{opened['position']}",
        "/sales",
        f"/sales/{sale}",
        f"/sales/{sale}/wall",
        "/method",
        "/verify",
        "/log",
    ]


@pytest.mark.parametrize("number", range(12))
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_there_in_both_languages(reader, paths, number, language):
    answer = reader.open(paths[number], Cookie=f"lang={language}")

    assert answer.status_code == 200
    assert answer.headers["content-language"] == {"zh": "zh-CN", "en": "en"}[language]
    assert f'<html lang="{answer.headers["content-language"]}">' in answer.text
    han = re.search(r"<h1>[^<]*[\u4e00-\u9fff]", answer.text)
    named = paths[number].startswith(("/sales/", "/funds/F"))  # After what somebody called it.
    assert named or bool(han) == (language == "zh")


@pytest.mark.parametrize("number", range(12))
def test_every_page_allows_nothing_but_its_own(reader, paths, number):
    first, second = (reader.open(paths[number]) for _ in range(2))
    policy = first.headers["content-security-policy"]
    (nonce,) = re.findall(r"script-src 'nonce-([\w-]+)'", policy)

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert nonce not in second.headers["content-security-policy"]
    loads = re.sub(r'<a href="https://[^"]+" rel="external">', "<a>", first.text)
    assert {"style=", "onclick=", "onload=", "javascript:", "http://", "https://"} & set(
        re.findall(r"style=|on\w+=|javascript:|https?://", loads)
    ) == set()
    scripts = re.findall(r"<script[^>]*>", first.text)
    assert all(f'nonce="{nonce}"' in each or "application/json" in each for each in scripts)
    assert first.headers["x-content-type-options"] == "nosniff"
    assert first.headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("number", range(12))
def test_every_page_travels_compressed(reader, paths, number):
    asked = {"Accept-Encoding": "gzip"} | HTML
    with reader.http.stream("GET", paths[number], headers=asked) as answer:
        sent = b"".join(answer.iter_raw())

    assert answer.headers["content-encoding"] == "gzip"
    assert b"<main" in gzip.decompress(sent)


def test_chinese_comes_first_and_a_choice_is_remembered(reader):
    assert "基金" in reader.open("/funds").text
    assert "Funds" in plain(reader.open("/funds?lang=en").text)
    assert "Funds" in plain(reader.open("/funds").text)
    assert "基金" in plain(reader.open("/funds?lang=zh").text)
    assert "基金" in plain(reader.open("/funds").text)


def test_an_unknown_language_is_no_choice(reader):
    assert "基金" in reader.open("/funds?lang=xx").text
    assert "lang" not in reader.http.cookies


def test_the_toggle_keeps_what_was_asked_for(reader, years):
    page = reader.open(f"/funds/{years.hear}?from=2026-04-01&to=2026-06-30").text

    assert 'href="?from=2026-04-01&amp;to=2026-06-30&amp;lang=en"' in page


def test_the_front_page_says_what_came_of_it_all(reader, office):
    funds = office.public.all("/v1/funds")
    balances = [office.balance(each["code"]) for each in funds]
    said = reader.read("/", "en")

    for figure in ("received", "pledged", "reserved", "paid", "acknowledged"):
        assert yuan(sum(each[figure] for each in balances)) in said, figure
    assert f"event {max(each['position'] for each in balances)}" in said


def test_no_verification_is_told_of_where_none_is_known(reader):
    assert "verified" not in reader.read("/", "en")


def test_a_funds_page_shows_its_figures(reader, office, years):
    shown = office.balance(years.hear)
    said = reader.read(f"/funds/{years.hear}", "en")

    for figure in ("received", "pledged", "paid", "balance", "available"):
        assert yuan(shown[figure]).replace("-", "−") in said, figure


@pytest.mark.parametrize(
    ("first", "last"),
    [("", ""), ("2026-04-01", "2026-05-31"), ("2026-05-01", ""), ("", "2026-04-30")],
)
def test_a_statement_opens_and_closes_with_the_balances_of_its_days(
    reader, office, years, first, last
):
    said = reader.read(f"/funds/{years.hear}?from={first}&to={last}", "en")
    day_before = {"2026-04-01": "2026-03-31", "2026-05-01": "2026-04-30"}
    opening = office.balance(years.hear, as_of=day_before[first])["balance"] if first else 0
    until = {"as_of": last} if last else {}
    closing = office.balance(years.hear, **until)["balance"]

    assert f"Opening {yuan(opening)}" in said
    assert re.search(rf"Closing [\d,.]+ [\d,.]+ {yuan(closing)}", said)


def test_each_line_of_a_statement_leads_to_its_events(reader, years):
    page = reader.open(f"/funds/{years.hear}?lang=en").text
    lines = re.findall(r'href="(/funds/[^"]+/lines\?[^"]+)"', page)

    assert len(lines) > 5
    for path in lines:
        opened = reader.open(path.replace("&amp;", "&")).text
        events = set(re.findall(r'href="(/events/\d+)"', opened))
        assert events
        for event in events:
            assert reader.open(event).status_code == 200


def test_what_was_corrected_is_struck_through_and_leads_to_its_correction(reader, years):
    line = f"/funds/{years.hear}/lines?on=2026-04-01&kind=disbursement.paid&lang=en"
    page = reader.open(line).text
    (corrected,) = re.findall(r"<del>([^<]+)</del> <small[^>]*>corrected by", page)
    (by,) = re.findall(r'corrected by <a href="(/events/\d+)"', page)
    correction = reader.open(by).text

    assert "200.00" in corrected
    assert "bounced" in plain(correction)
    assert re.search(r'corrects <a href="/events/\d+"', correction)


def test_no_page_says_who_gave_or_what_was_written_by_hand(reader, office, years):
    said = [
        office.an.read("/v1/events", stream=stream, limit=100)["items"]
        for stream in (years.gift, years.moved, years.paid)
    ]
    events = [event for items in said for event in items]
    private = {"梅女士", "13800138000", "院长", str(years.donor)}
    for event in events:
        private.add(event["actor"])
        private.update(
            str(event["data"][name])
            for name in ("external_ref", "reason", "payee", "payee_name", "note")
            if event["data"].get(name)
        )

    assert len(private) > 10
    for event in events:
        page = reader.open(f"/events/{event['position']}?lang=en").text
        assert [each for each in private if each in page] == []


def test_an_event_that_is_not_public_is_there_but_not_told(reader, office):
    registered = office.an.read("/v1/events", type="donor.registered.1", limit=1)["items"][0]
    shown = reader.open(f"/events/{registered['position']}?lang=en")

    assert shown.status_code == 200
    assert "is not shown in public" in shown.text
    assert registered["id"] not in shown.text
    assert "donor.registered" not in shown.text
    assert reader.open("/events/999999999").status_code == 404


def test_a_sales_page_shows_its_running_total(reader, office, years):
    total = office.public.read(f"/v1/sales/{years.sale}")
    for path in (f"/sales/{years.sale}", f"/sales/{years.sale}/wall"):
        said = reader.read(path, "en")

        assert yuan(total["gross"]) in said
        assert f"−{yuan(total['refunds'])}" in said
        assert yuan(total["net_sales"]) in said


@pytest.mark.parametrize(
    ("path", "status", "zh", "en"),
    [
        ("/nothing", 404, "没有您要找的内容", "There is nothing of this name here."),
        ("/funds/F-NONE", 404, "没有您要找的内容", "There is nothing of this name here."),
        (f"/sales/{NO_SALE}", 404, "没有您要找的内容", "There is nothing of this name here."),
        ("/funds/F-1?from=soon", 422, "不可能成立", "What was said cannot be true as written."),
        ("/events/0", 404, "没有您要找的内容", "There is nothing of this name here."),
    ],
)
def test_a_refusal_is_a_page_for_people_and_a_document_for_programs(reader, path, status, zh, en):
    for language, title in (("zh", zh), ("en", en)):
        answer = reader.open(path, Cookie=f"lang={language}")
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
        assert title in answer.text
        assert 'href="/"' in answer.text
    document = reader.http.get(path, headers={"Accept": "application/json"})
    assert document.status_code == status
    assert document.headers["content-type"] == "application/problem+json"
    assert document.json()["title"] == en


def test_the_api_answers_with_documents_whoever_asks(reader):
    answer = reader.open("/v1/funds/F-NONE")

    assert answer.headers["content-type"] == "application/problem+json"


def test_what_was_asked_for_is_never_repeated_as_markup(reader):
    attack = "/funds/F-1?from=%3Cscript%3Ealert(1)%3C/script%3E"

    assert "<script>alert" not in reader.open(attack).text
    assert "<script>alert" not in reader.open("/%3Cscript%3Ealert(1)%3C/script%3E").text


def test_what_people_called_things_is_never_markup(reader, office):
    name = "</script><b>&名"
    body = {"restriction": "restricted", "purpose": name, "currency": "CNY"}
    office.sun.did("/v1/funds", {"code": "F-MARKUP", "name": name} | body)
    gift = office.pledge("F-MARKUP", 5_000)
    office.pay_in(gift, 5_000)
    page = reader.open("/funds/F-MARKUP").text

    assert "<b>" not in page
    assert page.count("</script>") == page.count("<script")
