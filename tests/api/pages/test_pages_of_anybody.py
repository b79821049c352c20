"""Every page, asked for anything by anybody: it neither breaks nor says again what it refuses."""

import re
from datetime import UTC, datetime
from itertools import chain, islice, product
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from api.app import create_app
from api.kernel.doors import Door
from api.pages.donor.giving import Answers
from api.pages.kit.entrance import FORM, Entrance
from ledger.aggregates.sales.settlements import Statement
from ledger.kernel.roles import Role
from tests.lists import LISTS, PATHS
from tests.processes import HOUSE
from tests.server import ANSWER_S, TLS

ROUTES = [
    (method, route)
    for route in create_app(Path("nowhere")).routes
    if isinstance(route, Door) and not route.include_in_schema
    for method in sorted(route.methods - {"HEAD"})
]

TEMPLATES = (HOUSE / "api" / "pages").rglob("templates/*.html")
FIELDS = sorted(
    {name for each in TEMPLATES for name in re.findall(r'name="(\w+)"', each.read_text())}
)
SECRETS = {"password", "again", "old", "code"}

MARK, SECRET = "zq7", "never-say-this-again"  # Of nobody.
WRONG = (
    *(f"<b>{MARK}</b>", f"'{MARK}' OR 1=1 --", f'"{MARK}', f"{{{{{MARK}}}}}", f"%s%n{MARK}"),
    *(f"{MARK}\0", f"\u202e{MARK}", f"\x1b[31m{MARK}", f"../{MARK}", MARK * 500, f"=1+{MARK}"),
    *("9" * 4_400, "-1", "NaN", "1e400", str(2**70), "0x10", "１２", "١٢", "2026-02-30"),
    *("9999-12-31", "0001-01-01", "20260320", "2026-W12-5", "2026-03-20~", "~", "", " "),
)
RIGHT = ("1", "3", "12", "100.00", "2026-03-20", "2099-01-31", "yes", "csv", "zh", "en", "/account")
RAW = (
    *(b"a=1&a=2", b"a=%ED%A0%80", b"a=%FF", b"a=%", b"a", b"&", b"\xff\xfe", b'{"a": 1}', b"a=\0"),
    *(b"&".join(b"f%d=1" % each for each in range(300)), b"a=" + b"9" * 2**20),
)
READ = {"/give": Answers.__struct_fields__, "/desk/sales": Statement.__struct_fields__}
"""Names that pages of such addresses read by themselves."""

KINDS = (FORM, "application/json", "text/plain", "multipart/form-data; boundary=x", "")

EXAMPLES = (1, pytest.param(3, marks=pytest.mark.slow))
"""Of what is asked by those whom a page is for; everybody else asks once."""

EACH = (9, pytest.param(1, marks=pytest.mark.slow))
"""Each of so many wrong fields is sent; of nine, each name gets other ones."""


class Visitor:
    """Somebody with a browser, signed in or not."""

    def __init__(self, server, role, person):
        self.server, self.role, self.person = server, role, person
        headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
        self.http = httpx2.Client(
            base_url=server.url, headers=headers, timeout=ANSWER_S, verify=TLS
        )

    def sign_in(self):
        """Begin a session, as the last may have been ended."""
        self.http.cookies.clear()
        if self.person is not None:
            begin, now = self.server.identity.sessions.begin, datetime.now(UTC)
            self.http.cookies.set("session", begin(self.person, now, with_second_factor=True))

    def may(self, route):
        """Say whether the page is for them, or that they stand for all whom it is for."""
        if isinstance(route, Entrance) and route.someone:
            return self.role in {Role.DONOR, Role.ADMIN}
        return self.role in (route.roles or (None, Role.DONOR))


@pytest.fixture(name="visitors", scope="module")
def _visitors(world):
    """Somebody of each role, one who is a donor, and nobody."""
    server, now = world.office.server, datetime.now(UTC)
    enrol = server.identity.users.enrol
    people = [(each, enrol(f"the {each}", [each], now)) for each in Role]
    donor = enrol("a donor", [Role.DONOR], now)
    server.identity.is_donor(donor, UUID(world.donor), at=now)
    found = [Visitor(server, *each) for each in [*people, (Role.DONOR, donor), (None, None)]]
    yield found
    for each in found:
        each.http.close()
    said = server.log.read_text(encoding="utf-8")
    assert not {each for each in (MARK, SECRET, "Traceback") if each in said}


def names_of(route):
    """Return what a page reads of its address, or of its form."""
    itself = (names for begin, names in READ.items() if route.path.startswith(begin))
    listed = (LISTS[name].names() for name, path in PATHS.items() if path == route.path)
    return [*(each.alias for each in route.dependant.query_params), *chain(*itself, *listed)]


def asked(method, route, there):
    """Return what draws an address of this page, and what is sent to it."""
    words = st.one_of(
        st.sampled_from([*RIGHT, *there]), st.sampled_from(WRONG), st.text(max_size=20)
    )
    parts = st.one_of(
        *[st.sampled_from(there)] * 3, st.sampled_from([each for each in WRONG if each.strip()])
    )
    named = st.sampled_from([*names_of(route) * 9, *FIELDS])
    fields = st.dictionaries(named, words, max_size=6)
    places = dict.fromkeys(route.param_convertors, parts)
    form = fields.map(lambda said: said | dict.fromkeys(SECRETS.intersection(said), SECRET))
    sent = st.one_of(*[form] * 4, st.tuples(st.sampled_from(KINDS), st.sampled_from(RAW)))
    return st.tuples(st.fixed_dictionaries(places), fields if method == "GET" else sent)


def ask(visitor, method, path, sent):
    if isinstance(sent, tuple):
        kind, content = sent
        return visitor.http.stream(method, path, content=content, headers={"Content-Type": kind})
    said = {name: each.encode(errors="replace").decode() for name, each in sent.items()}
    return visitor.http.stream(method, path, **{"params" if method == "GET" else "data": said})


def look(answer):
    """See that an answer is one, and says nothing again that it should not."""
    kind = answer.headers.get("content-type", "")
    if kind.startswith("text/event-stream"):
        return  # It goes on for ever.
    answer.read()
    assert answer.status_code < 500, answer.text
    assert "Traceback" not in answer.text
    assert f"<b>{MARK}" not in answer.text
    assert SECRET not in answer.text + str(answer.headers)
    assert answer.headers["x-content-type-options"] == "nosniff"
    if answer.is_redirect:
        assert re.match(r"/(?![/\\])", answer.headers["location"])
    if answer.status_code >= 400:
        assert kind.startswith(("text/html", "application/problem+json")), kind
        # What somebody typed stands in its field again, and in the address of the other language.
        assert MARK not in re.sub(r'(?:value|href)="[^"]*"', "", answer.text)


def known(world):
    """Return what can stand in an address and be there."""
    ids = (world.donor, world.open, world.selling, world.settled, world.requested, world.paid)
    return (*ids, world.rich, "1", "ndjson")


def path_of(route, places):
    return route.path.replace(":path", "").format(
        **{name: quote(each) for name, each in places.items()}
    )


@pytest.mark.parametrize(
    ("method", "route"), ROUTES, ids=[f"{method} {route.path}" for method, route in ROUTES]
)
@pytest.mark.parametrize("most", EXAMPLES)
def test_no_page_breaks_whoever_asks_for_whatever(method, route, visitors, world, most):
    for visitor in visitors:
        visitor.sign_in()
    there = known(world)

    def asks(everybody, examples):
        @settings(
            max_examples=examples,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(said=asked(method, route, there))
        def each_asks(said):
            places, sent = said
            path = path_of(route, places)
            for visitor in everybody:
                with ask(visitor, method, path, sent) as answer:
                    look(answer)

        each_asks()

    inside = [each for each in visitors if each.may(route)]
    assert inside
    much = [inside[0], inside[-1]]  # Whom a page lets in, it shows nearly the same.
    asks([each for each in visitors if each not in much], 1)
    asks(much, most)


NAMED = [each for each in ROUTES if names_of(each[1])]


@pytest.mark.parametrize(
    ("method", "route"), NAMED, ids=[f"{method} {route.path}" for method, route in NAMED]
)
@pytest.mark.parametrize("each", EACH)
def test_a_field_that_is_wrong_alone_breaks_no_page(method, route, visitors, world, each):
    right = {"fund": world.rich, "amount": "100.00", "parts": "12", "first": "2099-01-31"}
    right |= {"on": "2026-04-01", "kind": "fund.opened", "key": "never-done", "name": "x"}
    visitor = [one for one in visitors if one.may(route)][-1]
    visitor.sign_in()
    ids = {"sale_id": world.selling, "disbursement_id": world.requested, "code": world.rich}
    ids |= {"donation_id": world.open, "position": "1", "session": "0" * 16}
    ids |= {"noun": "donations", "step": "new"}
    path = path_of(route, {name: ids[name] for name in route.param_convertors})

    for name, wrong in islice(product(names_of(route), WRONG), 0, None, each):
        with ask(visitor, method, path, right | {name: wrong}) as answer:
            look(answer)
