"""/verify in a real browser: it believes a good receipt, no changed one, and tells nobody."""

import json
from base64 import b64decode, b64encode, urlsafe_b64encode
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from api.pages.public.receipt_words import TOPICS
from ledger.aggregates.donations.donation import Donation
from ledger.transparency.cosignature import Cosigner
from ledger.transparency.note import Signer, parse_note
from projections.log.keys import KeyFile
from tests.browsers import ARTEFACTS, browser_here, faults, window

HOLDS = {"zh": "凭据成立", "en": "The receipt holds"}
LANGUAGES = ("zh", pytest.param("en", marks=pytest.mark.slow))

REFUSED = {"zh": "凭据不成立", "en": "The receipt does not hold"}


@pytest.fixture(scope="module")
def browser():
    with browser_here() as found:
        yield found


@pytest.fixture(scope="module")
def key(server, receipt):
    """What `leifeng audit key` prints, which a donor had from elsewhere."""
    assert receipt
    ring = KeyFile(server.data / "keys" / "log.key").read()
    return str(ring.signing[0].verifier)


@pytest.fixture(scope="module")
def gift(office):
    donation = office.pledge(office.fund("F-GIFT"), 123_456_700)
    for part in (1_234_567, 100):
        office.pay_in(donation, part)
    return donation


@pytest.fixture(scope="module")
def answer(office, gift):
    return office.lin.get(f"/v1/donations/{gift}/receipt")


@pytest.fixture(scope="module")
def receipt(answer):
    return answer.text


@pytest.fixture(scope="module")
def paper(office, gift):
    return office.lin.get(f"/v1/donations/{gift}/receipt.pdf").content


def check(page, receipt, key, language="en"):
    """Have a receipt checked, as somebody does who has it as text."""
    page.goto(f"/verify?lang={language}")
    fill_in(page, receipt, key)


def fill_in(page, receipt, key):
    page.locator("#receipt").fill(receipt)
    page.locator("#key").fill(key)
    page.locator("#check").click()
    expect(page.locator("#verdict")).to_be_focused()


def steps(page):
    return [each.get_attribute("data-state") for each in page.locator("#steps li").all()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_good_receipt_is_believed_and_told(browser, server, receipt, key, language):
    with window(browser, server.url) as page:
        check(page, receipt, key, language)

        expect(page.locator("#verdict")).to_have_text(HOLDS[language])
        assert steps(page) == ["held"] * 4
        rows = [row.inner_text().split("\t") for row in page.locator("#told-rows tr").all()]
        promised, arrived = {
            "zh": ("作出认捐", "款项到账"),
            "en": ("A promise was made", "Money arrived"),
        }[language]
        assert [row[:4] for row in rows] == [
            ["2026-04-01", promised, "1,234,567.00", "F-GIFT"],
            ["2026-04-01", arrived, "12,345.67", "F-GIFT"],
            ["2026-04-01", arrived, "1.00", "F-GIFT"],
        ]
        assert page.locator("#told-key").inner_text() == key
        assert faults(page) == []


def changed(receipt, change):
    """Return a receipt after ``change`` was made to what it says."""
    said = json.loads(receipt)
    change(said)
    return json.dumps(said, ensure_ascii=False)


def one_byte(text):
    """Change the middle byte of something in base64."""
    data = bytearray(b64decode(text))
    data[len(data) // 2] ^= 1
    return b64encode(data).decode()


def in_event(name, change):
    def apply(said):
        said["events"][1][name] = change(said["events"][1][name])

    return apply


def in_words(old, new):
    """Have an event say something else, and its leaf agree with that."""

    def apply(said):
        event = said["events"][1]
        state = b64decode(event["state"]).replace(old, new)
        event["state"] = b64encode(state).decode()

    return apply


def in_root(said):
    origin, size, root, rest = said["checkpoint"].split("\n", 3)
    said["checkpoint"] = "\n".join([origin, size, one_byte(root), rest])


def in_size(said):
    origin, size, rest = said["checkpoint"].split("\n", 2)
    said["checkpoint"] = f"{origin}\n{int(size) + 1}\n{rest}"


def in_signature(said):
    body, _, last = said["checkpoint"].rstrip("\n").rpartition(" ")
    said["checkpoint"] = f"{body} {one_byte(last)}\n"


def in_path(said):
    path = said["events"][1]["path"]
    path[0] = one_byte(path[0])


def shortened(said):
    said["events"][1]["path"].pop()


def without_the_first(said):
    said["events"].pop(0)


def of_another(said):
    said["donation"]["id"] = "01a20737-75c3-7cc1-b1f2-e52f15c6c3a7"


CHANGES = [
    (in_event("state", one_byte), "leaf", "was changed"),
    (in_words(b"1234567", b"9234567"), "leaf", "was changed"),
    (in_event("leaf", lambda leaf: leaf.replace('"size":', '"size":1')), "leaf", "was changed"),
    (in_event("leaf_hash", one_byte), "leaf", "was changed"),
    (in_event("topic", lambda _: "donation.pledged.1"), "leaf", "was changed"),
    (in_event("position", lambda position: position + 1), "leaf", "not written"),
    (in_event("index", lambda index: index + 1), "leaf", "not written"),
    (in_event("state", lambda state: f" {state}"), "leaf", "not written"),
    (in_path, "path", "its path leads elsewhere"),
    (shortened, "path", "its path leads elsewhere"),
    (in_root, "signature", "is wrong"),
    (in_size, "signature", "is wrong"),
    (in_signature, "signature", "is wrong"),
    (without_the_first, "read", "not those of one donation"),
    (of_another, "read", "not those of one donation"),
]


def test_a_receipt_that_was_changed_anywhere_is_refused(browser, server, receipt, key):
    with window(browser, server.url) as page:
        page.goto("/verify?lang=en")
        for change, step, why in CHANGES:
            forged = changed(receipt, change)
            assert json.loads(forged) != json.loads(receipt)
            fill_in(page, forged, key)

            expect(page.locator("#verdict")).to_have_text(REFUSED["en"])
            failed = page.locator("[data-state=failed][data-step]")
            expect(failed).to_have_attribute("data-step", step)
            expect(page.locator("#why")).to_contain_text(why)
            expect(page.locator("#told")).to_be_hidden()
            expect(page.locator("#receipt")).to_have_attribute("aria-invalid", "true")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_receipt_of_somebody_elses_log_is_refused(browser, server, receipt, key, language):
    name = key.partition("+")[0]
    stranger = str(Signer.generate(name).verifier)
    elsewhere = str(Signer.generate("other.example/log").verifier)
    with window(browser, server.url) as page:
        page.goto(f"/verify?lang={language}")
        for wrong in (stranger, elsewhere, key[:-2], key.replace("+", "-", 1), ""):
            fill_in(page, receipt, wrong)

            expect(page.locator("#verdict")).to_have_text(REFUSED[language])
            expect(page.locator("#told")).to_be_hidden()
        fill_in(page, receipt, f"{stranger}\n{key}\n")
        expect(page.locator("#verdict")).to_have_text(HOLDS[language])


def test_a_receipt_signed_by_a_forger_is_refused(browser, server, receipt, key):
    forger = Signer.generate(key.partition("+")[0])
    said = json.loads(receipt)
    text = said["checkpoint"].partition("\n\n")[0] + "\n"
    said["checkpoint"] = f"{text}\n{forger.sign(text)}\n"
    with window(browser, server.url) as page:
        check(page, json.dumps(said), key)
        expect(page.locator("#why")).to_contain_text("No key that you believe")
        # Who takes the forger's key for the log's is deceived: that is why it matters from where.
        check(page, json.dumps(said), str(forger.verifier))
        expect(page.locator("#verdict")).to_have_text(HOLDS["en"])


def test_what_is_no_receipt_is_refused_by_name(browser, server, key):
    with window(browser, server.url) as page:
        page.goto("/verify?lang=en")
        for wrong in ("", "{", "[]", "null", "7", '{"events":[]}', '{"donation":{}}'):
            fill_in(page, wrong, key)

            expect(page.locator("#verdict")).to_have_text(REFUSED["en"])
            expect(page.locator("#why")).to_contain_text("JSON")


def test_nothing_leaves_the_browser_after_the_page_is_there(browser, server, receipt, key, paper):
    asked = []
    with window(browser, server.url) as page:
        page.goto("/verify?lang=en")
        page.wait_for_load_state("networkidle")
        page.on("request", lambda request: asked.append(request.url))
        page.locator("#receipt").fill(receipt)
        page.locator("#key").fill(key)
        page.locator("#check").click()
        expect(page.locator("#verdict")).to_have_text(HOLDS["en"])
        page.locator("#file").set_input_files(
            {"name": "receipt.pdf", "mimeType": "application/pdf", "buffer": paper}
        )
        expect(page.locator("#taken")).to_have_text("receipt.pdf")
        page.locator("#check").click()
        expect(page.locator("#verdict")).to_have_text(HOLDS["en"])

        assert asked == []


def test_the_newest_checkpoint_is_compared_if_asked_for(browser, server, office, receipt, key):
    office.gift(office.fund())
    last = server.position()
    server.public.read("/v1/proofs/consistency", from_=0, at_least=last)
    asked = []
    with window(browser, server.url) as page:
        check(page, receipt, key)
        page.on("request", lambda request: asked.append(request.url))
        expect(page.locator("#ask")).to_contain_text("asks the server")
        page.locator("#ask-newest").click()

        expect(page.locator("#extension")).to_contain_text("nothing of it was changed since")
        size = json.loads(receipt)["checkpoint"].split("\n")[1]
        assert asked == [f"{server.url}/v1/proofs/consistency?from={size}"]


@pytest.mark.slow
def test_a_history_that_was_changed_since_is_told_of(browser, server, office, receipt, key):
    office.gift(office.fund())
    with window(browser, server.url) as page:
        check(page, receipt, key)
        page.route("**/v1/proofs/consistency*", _with_another_proof)
        page.locator("#ask-newest").click()

        expect(page.locator("#extension")).to_contain_text("the history was changed")
        expect(page.locator("#extension")).to_have_attribute("data-state", "failed")


def _with_another_proof(route):
    answer = route.fetch()
    said = answer.json()
    said["proof"] = [one_byte(each) for each in said["proof"]] or [b64encode(b"x" * 32).decode()]
    route.fulfill(response=answer, json=said)


@pytest.mark.slow
def test_a_receipt_comes_in_the_address_and_stays_there(browser, server, receipt, key):
    packed = urlsafe_b64encode(receipt.encode()).decode()
    asked = []
    with window(browser, server.url) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"/verify?lang=en#json={packed}")
        expect(page.locator("#receipt")).to_have_value(receipt)
        page.locator("#key").fill(key)
        page.locator("#check").click()

        expect(page.locator("#verdict")).to_have_text(HOLDS["en"])
        assert server.log.read_text(encoding="utf-8").count(packed[:40]) == 0
        assert all(packed[:40] not in each.partition("#")[0] for each in asked)


def test_the_code_on_paper_names_the_receipt_and_no_other_is_taken(
    browser, server, office, receipt, key
):
    other = office.lin.get(f"/v1/donations/{office.gift(office.fund())}/receipt").text
    gift = json.loads(receipt)["donation"]["id"]
    with window(browser, server.url) as page:
        page.goto(f"/verify?lang=en#receipt={gift}")
        expect(page.locator("#named")).to_contain_text(gift)
        for given, verdict in ((other, REFUSED["en"]), (receipt, HOLDS["en"])):
            fill_in(page, given, key)
            expect(page.locator("#verdict")).to_have_text(verdict)


@pytest.mark.slow
def test_the_key_that_the_site_claims_is_shown_as_no_more_than_that(browser, server, receipt, key):
    with window(browser, server.url) as page:
        page.goto("/verify?lang=en")
        assert page.locator("#claimed").inner_text() == key
        expect(page.get_by_label("A key that I have from elsewhere")).to_be_checked()
        page.locator("#receipt").fill(receipt)
        page.get_by_label("The key that this site claims now").check()
        page.locator("#check").click()

        expect(page.locator("#verdict")).to_have_text(HOLDS["en"])
        expect(page.locator("#why")).to_contain_text("worth as much as your trust in this page")


@pytest.mark.slow
def test_it_is_done_by_keyboard_alone(browser, server, receipt, key):
    with window(browser, server.url) as page:
        page.goto("/verify?lang=en")
        page.locator("#file").focus()
        page.keyboard.press("Tab")
        page.keyboard.insert_text(receipt)
        page.keyboard.press("Tab")
        expect(page.get_by_label("A key that I have from elsewhere")).to_be_focused()
        page.keyboard.press("Tab")
        page.keyboard.insert_text(key)
        walked = []
        while "Check" not in walked:
            page.keyboard.press("Tab")
            walked.append(page.evaluate("document.activeElement.innerText"))
            assert len(walked) < 5
        page.keyboard.press("Enter")

        expect(page.locator("#verdict")).to_be_focused()
        expect(page.locator("#verdict")).to_have_text(HOLDS["en"])
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator("#extension")).to_have_attribute("data-state", "held")


@pytest.mark.slow
@pytest.mark.parametrize(
    "lack",
    [
        (
            """const {importKey} = crypto.subtle.__proto__;
            crypto.subtle.__proto__.importKey = function (format, key, algorithm, ...rest) {
              if (algorithm === "Ed25519")
                return Promise.reject(new DOMException("no", "NotSupportedError"));
              return importKey.call(this, format, key, algorithm, ...rest);
            };""",
            "cannot check Ed25519",
        ),
        ("Object.defineProperty(Crypto.prototype, 'subtle', {value: undefined});", "HTTPS alone"),
    ],
)
def test_a_browser_that_cannot_check_says_so(browser, server, receipt, key, lack):
    without, why = lack
    with window(browser, server.url) as page:
        page.add_init_script(without)
        check(page, receipt, key)

        expect(page.locator("#lacking")).to_contain_text(why)
        expect(page.locator("#verdict")).to_have_text(REFUSED["en"])
        expect(page.locator("#why")).to_contain_text(why)


# Witnesses.

WITNESS = Cosigner("friend.example/witness", b"w" * 32)
OTHER = Cosigner("other.example/witness", b"o" * 32)

AT = int(datetime(2026, 11, 25, 4, tzinfo=UTC).timestamp())
NOON = "2026-11-25 12:00:00"
"""The same, as the clock on the wall shows it."""


def cosigned(signature):
    """Have a receipt's checkpoint carry a cosignature as well, made of its text."""

    def apply(said):
        note = parse_note(said["checkpoint"].encode())
        said["checkpoint"] = note.signed_again(signature(note.text)).encode().decode()

    return apply


def test_it_says_which_witnesses_cosigned_and_when(browser, server, receipt, key):
    seen = changed(receipt, cosigned(lambda text: WITNESS.cosign(text, AT)))
    keys = "\n".join(map(str, (key, WITNESS.verifier, OTHER.verifier)))
    with window(browser, server.url) as page:
        check(page, seen, keys)

        expect(page.locator("#verdict")).to_have_text(HOLDS["en"])
        told = [each.inner_text() for each in page.locator("#told-witnesses li").all()]
        assert told == [
            f"friend.example/witness cosigned it at {NOON}, by the key that you entered.",
            "other.example/witness has not cosigned this checkpoint.",
        ]
        assert page.locator("#told-key").inner_text() == key
        assert faults(page) == []


def test_a_cosignature_of_nobody_who_is_known_says_nothing(browser, server, receipt, key):
    seen = changed(receipt, cosigned(lambda text: WITNESS.cosign(text, AT)))
    with window(browser, server.url) as page:
        check(page, seen, key)

        expect(page.locator("#verdict")).to_have_text(HOLDS["en"])
        expect(page.locator("#told-witnesses li")).to_have_count(1)
        expect(page.locator("#told-witnesses")).to_contain_text("Nobody whose key is known")


def of_another_checkpoint(text):
    return WITNESS.cosign(text.replace("\n", "1\n", 2), AT)


def at_another_time(text):
    early, late = (WITNESS.cosign(text, at).signature for at in (AT, AT + 1))
    return WITNESS.cosign(text, AT)._replace(signature=late[:8] + early[8:])


def cut(text):
    made = WITNESS.cosign(text, AT)
    return made._replace(signature=made.signature[:-1])


@pytest.mark.parametrize("wrong", [of_another_checkpoint, at_another_time, cut])
def test_a_wrong_cosignature_of_a_known_witness_is_refused(browser, server, receipt, key, wrong):
    seen = changed(receipt, cosigned(wrong))
    with window(browser, server.url) as page:
        check(page, seen, f"{key}\n{WITNESS.verifier}")

        expect(page.locator("#verdict")).to_have_text(REFUSED["en"])
        failed = page.locator("[data-state=failed][data-step]")
        expect(failed).to_have_attribute("data-step", "signature")
        expect(page.locator("#why")).to_contain_text("friend.example/witness is wrong")


def test_a_key_of_a_witness_alone_is_no_key_of_the_log(browser, server, receipt):
    with window(browser, server.url) as page:
        check(page, receipt, str(WITNESS.verifier))

        expect(page.locator("#verdict")).to_have_text(REFUSED["en"])
        expect(page.locator("#why")).to_contain_text("Enter the key of the log")


@pytest.mark.parametrize(
    "look",
    [
        ("zh", "light", 360),
        pytest.param(("en", "light", 1280), marks=pytest.mark.slow),
        pytest.param(("en", "dark", 360), marks=pytest.mark.slow),
    ],
)
def test_it_fits_and_keeps_nobody_out(browser, server, receipt, key, look):
    language, scheme, width = look
    ARTEFACTS.mkdir(exist_ok=True)
    forged = changed(receipt, in_root)
    with window(browser, server.url, width, color_scheme=scheme) as page:
        page.goto(f"/verify?lang={language}")
        assert faults(page) == []
        for name, given in (("held", receipt), ("refused", forged)):
            check(page, given, key, language)
            page.screenshot(
                path=ARTEFACTS / f"verify-{name}-{language}-{width}.png", full_page=True
            )

            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert faults(page) == []


@pytest.mark.slow
def test_without_javascript_it_says_where_else_to_check(browser, server):
    with browser.new_context(base_url=server.url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/verify?lang=en")

        expect(page.get_by_role("link", name="Other ways to check")).to_be_visible()
        expect(page.locator("#check")).to_be_disabled()


def test_every_event_of_a_donation_has_its_words():
    kinds = [each for each in vars(Donation).values() if hasattr(each, "TOPIC")]
    assert {each.TOPIC for each in kinds} == set(TOPICS)
    for kind in kinds:
        assert TOPICS[kind.TOPIC].amount in kind.__struct_fields__
