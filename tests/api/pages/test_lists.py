"""Lists: whatever the format, the rows are the same, and parts are of one state of the history."""

import csv
import json
import re
from datetime import date, datetime
from html import unescape
from io import BytesIO, StringIO

import pytest
from openpyxl import load_workbook

from api.pages.kit.languages import words
from ledger.kernel.aggregate import BUSINESS_ZONE
from ledger.kernel.roles import Role
from projections.exports.tables import FORMATS, FORMULA, Kind
from tests.api.pages.test_own_pages import promise
from tests.lists import LISTS, PATHS
from tests.office import DAY
from tests.signed_in import Visitor
from tests.stores import on_every_store

pytestmark = on_every_store

PARTS_MAX = 100

ROW = re.compile(r'<tr role="row"(?: class="total")?>(.*?)</tr>', re.DOTALL)
AMOUNT = re.compile(r'<data class="amount[^"]*" value="(-?\d+)">')
NEXT = re.compile(r'<a rel="next" href="([^"]+)"')


ROLES = (Role.TREASURER, Role.BOOKKEEPER)


@pytest.fixture(scope="module")
def reader(server, years):
    """Somebody who may see every list, but for those of donors."""
    assert years.last
    visitor = Visitor(server, "everybody's eyes", *ROLES)
    yield visitor
    visitor.http.close()


@pytest.fixture(scope="module")
def paths(server, office, years, reader):
    """Where each list is, and who reads it there."""
    donor = Visitor(server, "何女士", Role.DONOR)
    admin = Visitor(server, "who lets others in", Role.ADMIN)
    for amount in ("100.00", "20.00"):
        promise(donor, years.hear, name="何女士", amount=amount)
    office.request(years.warm, 100, purpose="=1+1")
    office.wang.did(
        "/v1/people/relations", {"organisation": "嘉禾商行", "relation": "family", "on": DAY}
    )
    days = ("2026-01-31", "2099-01-31")
    instalments = [{"due_on": day, "amount": 5_000} for day in days]
    for _ in range(2):
        office.pledge(years.hear, 10_000, pledged_on="2026-01-02", instalments=instalments)
    sale = office.ended_sale(years.hear)
    line = re.search(
        r'"(/funds/F-HEAR/lines\?[^"]+)"', reader.read(f"/funds/{years.hear}").replace("&amp;", "&")
    )[1]
    yield {
        "aid": ("/desk/aid", reader),
        "balances-then-and-now": (f"/audit/time?at={years.last // 2}", reader),
        "events": (line, reader),
        "funds": ("/funds", reader),
        "funds-and-steps": ("/desk/funds", reader),
        "goods": (f"/sales/{years.sale}", reader),
        "history": ("/audit/history", reader),
        "journal": ("/desk/journal", reader),
        "my-pledges": ("/mine", donor),
        "my-statement": ("/mine/data", donor),
        "overdue-pledges": ("/desk/pledges", reader),
        "people": ("/desk/people", admin),
        "relations": ("/desk/relations", reader),
        "sales": ("/sales", reader),
        "sales-to-settle": ("/desk", reader),
        "settlement": (f"/desk/sales/{sale}?gross=0.01", reader),
        "statement-{code}": (f"/funds/{years.hear}", reader),
        "to-confirm": ("/desk/bank", reader),
        "trial-balance": ("/desk/trial-balance", reader),
    }
    donor.http.close()
    admin.http.close()


def with_query(path, **more):
    return path + ("&" if "?" in path else "?") + "&".join(f"{a}={b}" for a, b in more.items())


def objects(visitor, path):
    """Return the rows of a list as programs read them."""
    answer = visitor.open(with_query(path, **{"as": "ndjson"}))
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def as_people_read(column, value):
    """Return what stands in a workbook or a CSV file for what stands in JSON lines."""
    say = words("en").gettext
    match column.kind, value:
        case _, None:
            return say(column.none) if column.none else ""
        case Kind.CODE, _:
            return say(column.words[value])
        case Kind.CODES, _:
            return ", ".join(say(column.words[each]) for each in value)
        case Kind.TRANSLATED, _:
            return value["en"]
        case ((Kind.DAY | Kind.INSTANT), _):
            kind = date if column.kind is Kind.DAY else datetime
            return kind.fromisoformat(value)
    return value


def in_csv(column, text):
    """Read a cell of a CSV file."""
    if text and column.kind is Kind.AMOUNT:
        return int(text.replace(".", ""))
    if text and column.kind in {Kind.EVENT, Kind.NUMBER}:
        return int(text)
    if text and column.kind is Kind.DAY:
        return date.fromisoformat(text)
    if text and column.kind is Kind.INSTANT:
        return datetime.fromisoformat(text)
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def in_workbook(column, value):
    """Read a cell of a workbook."""
    if isinstance(value, datetime):
        return value.date() if column.kind is Kind.DAY else value.replace(tzinfo=BUSINESS_ZONE)
    if column.kind is Kind.AMOUNT and value is not None:
        return round(value * 100)
    return "" if value is None else value


def rows_of_page(page):
    """Return the rows of a page's list, without what adds them up."""
    table = page[page.index("<caption>") :].partition("</table>")[0].partition("<tfoot")[0]
    return [
        each for each in ROW.findall(table) if "columnheader" not in each and "colspan" not in each
    ]


def parts(visitor, path):
    """Yield the page of every part of a list."""
    for _ in range(PARTS_MAX):
        page = visitor.read(path)
        yield page
        link = NEXT.search(page)
        if link is None:
            return
        path = path.partition("?")[0] + unescape(link[1]).partition("#")[0]
    pytest.fail("the list does not end")


def test_every_list_is_read_here(paths):
    assert paths.keys() == LISTS.keys() == PATHS.keys()


@pytest.mark.parametrize("name", sorted(LISTS))
def test_every_format_has_the_same_rows(name, paths):
    path, visitor = paths[name]
    columns = [each for each in LISTS[name].columns if each.in_files]
    raw = objects(visitor, path)
    expected = [[as_people_read(each, row[each.name]) for each in columns] for row in raw]
    titles = [words("en").gettext(each.title) for each in columns]

    text = visitor.open(with_query(path, **{"as": "csv"})).text.removeprefix("\ufeff")
    head, *lines = csv.reader(StringIO(text, newline=""))
    book = load_workbook(BytesIO(visitor.open(with_query(path, **{"as": "xlsx"})).content))
    top, *cells = book.active.iter_rows(values_only=True)

    assert expected
    assert all(list(row) == [each.name for each in columns] for row in raw)
    assert head == list(top) == titles
    assert [[in_csv(*each) for each in zip(columns, row, strict=True)] for row in lines] == expected
    workbook = [[in_workbook(*each) for each in zip(columns, row, strict=True)] for row in cells]
    assert [seconds(row) for row in workbook] == [
        [pytest.approx(each, abs=0.01) if isinstance(each, float) else each for each in row]
        for row in map(seconds, expected)
    ]


def seconds(row):
    """Return a row with its instants as seconds, of which a workbook has a few decimals."""
    return [each.timestamp() if isinstance(each, datetime) else each for each in row]


@pytest.mark.parametrize("name", sorted(LISTS))
def test_the_page_has_the_rows_of_the_files(name, paths):
    path, visitor = paths[name]
    listing = LISTS[name]
    order = listing.order_of_files not in (None, listing.order)
    raw = objects(visitor, path)[:: -1 if order else 1]
    figures = {Kind.AMOUNT, Kind.NUMBER}
    amounts = [each for each in listing.columns if each.on_page and each.kind in figures]
    expected = [
        [row[each.name] for each in amounts if row[each.name] or not each.hides_zero] for row in raw
    ]

    drawn = [row for page in parts(visitor, path) for row in rows_of_page(page)]

    found = [[int(each) for each in AMOUNT.findall(row)] for row in drawn]
    if name == "settlement":  # Theirs stand in fields.
        expected = [row[1:] for row in expected]
    assert found == [[each for each in row if each is not None] for row in expected]


@pytest.mark.parametrize("name", sorted(LISTS))
def test_every_list_is_sorted_by_what_it_offers(name, paths):
    path, visitor = paths[name]
    for column in LISTS[name].columns:
        if not column.sortable:
            continue
        for order, descending in ((column.name, False), (f"-{column.name}", True)):
            by = [row[column.name] for row in objects(visitor, with_query(path, sort=order))]
            assert by == sorted(by, reverse=descending), order
            page = visitor.read(with_query(path, sort=order))
            assert f'aria-sort="{"descending" if descending else "ascending"}"' in page
            assert len(by) == len(objects(visitor, path))


@pytest.mark.parametrize("name", sorted(LISTS))
@pytest.mark.parametrize("query", ["sort=nothing", "sort=-", "until=x", "until=-1"])
def test_what_a_list_does_not_know_is_refused(name, query, paths):
    path, visitor = paths[name]
    answer = visitor.open(path + ("&" if "?" in path else "?") + query)

    assert answer.status_code == 422


# Parts.


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/desk/journal", "position"),
        ("/desk/aid", "amount"),
        ("/desk/aid?sort=-amount", "amount"),
        ("/desk/aid?sort=state&fund=F-PARTS", "amount"),
        ("/desk/bank?sort=on", "amount"),
        ("/audit/history", "position"),
        ("/audit/history?sort=position", "position"),
    ],
)
def test_parts_are_of_one_state_however_much_is_recorded_meanwhile(
    path, name, office, reader, paths
):
    assert paths
    if "F-PARTS" not in [each["code"] for each in office.public.read("/v1/funds")["items"]]:
        office.fund("F-PARTS")
        office.gift("F-PARTS", 1_000_000)
        for each in range(55):
            office.request("F-PARTS", 100 + each % 7)
            office.gift("F-PARTS", 500 + each % 7)
    before = objects(reader, path)
    if path == "/audit/history":
        before.reverse()

    drawn = []
    for number, page in enumerate(parts(reader, path)):
        drawn += rows_of_page(page)
        assert ("later is left out" in page) == (number > 0)
        office.request("F-PARTS", 1 + number)  # First, last, and in the middle of what is sorted.
        office.request("F-PARTS", 103)
        office.gift("F-PARTS", 100_000 + number)

    assert number > 0
    if name == "amount":
        assert [int(AMOUNT.findall(row)[-1]) for row in drawn] == [row[name] for row in before]
    else:
        shown = [int(each) for row in drawn for each in re.findall(r'events/(\d+)"', row)[:1]]
        assert shown == list(dict.fromkeys(row[name] for row in before))
    assert len(objects(reader, path)) > len(before)


def test_a_fund_opened_meanwhile_moves_no_fund_to_another_part(office, paths):
    path, visitor = paths["funds-and-steps"]
    for number in range(52):
        office.fund(f"F-MANY-{number:02}")
    before = [row["fund"] for row in objects(visitor, path)]

    drawn = []
    for number, page in enumerate(parts(visitor, path)):
        drawn += re.findall(r'<td role="cell"><a href="/funds/([^"]+)">', page)
        office.fund(f"F-MANY-00-{number}")
        office.fund(f"F-MANY-51-{number}")

    assert number > 0
    assert drawn == before
    assert len(objects(visitor, path)) > len(before)


def test_somebody_added_meanwhile_moves_nobody_to_another_part(office, paths):
    path, admin = paths["people"]
    for number in range(52):
        office.ada.did("/v1/people", {"name": f"clerk {number}", "roles": ["clerk"]})
    path = with_query(path, role="clerk", sort="-on")
    before = [row["name"] for row in objects(admin, path)]

    drawn = []
    for number, page in enumerate(parts(admin, path)):
        drawn += re.findall(r'<th role="rowheader" scope="row">([^<]+)</th>', page)
        office.ada.did("/v1/people", {"name": f"latecomer {number}", "roles": ["clerk"]})

    assert number > 0
    assert [unescape(each) for each in drawn] == before
    assert len(objects(admin, path)) > len(before)


def test_a_part_begins_where_the_address_says_and_nowhere_else(reader, paths):
    assert paths
    for path, cursor in (
        ("/desk/aid", "after"),
        ("/desk/aid?sort=amount", "after"),
        ("/desk/aid?sort=-amount", "before"),
        ("/desk/journal", "after"),
        ("/audit/history", "before"),
        ("/funds/F-HEAR", "after"),
    ):
        for wrong in ("x", "-1", "~", "1~", "~x", "9" * 30, "1~2~x", "a" * 400):
            answer = reader.open(with_query(path, **{cursor: wrong}))
            assert answer.status_code == 422, (path, wrong)


def test_a_list_is_filtered_alike_in_every_format(reader, paths, years):
    assert paths
    everything = objects(reader, "/desk/aid")
    asked = f"/desk/aid?fund={years.warm}&state=to-approve"
    some = objects(reader, asked)

    assert some == [
        row
        for row in everything
        if row["fund"] == years.warm and row["state"] in {"requested", "partly-approved"}
    ]
    assert 0 < len(some) < len(everything)
    for suffix in FORMATS:
        links = unescape(reader.read(asked))
        assert f'href="?fund={years.warm}&state=to-approve&as={suffix}"' in links


def test_what_is_no_formula_in_one_format_is_none_in_another(reader, paths):
    assert paths
    book = load_workbook(BytesIO(reader.open("/desk/aid?as=xlsx").content))
    (cell,) = [
        each for (each,) in book.active.iter_rows(min_col=4, max_col=4) if "=1+1" in each.value
    ]

    assert (cell.value, cell.data_type) == ("=1+1", "s")
