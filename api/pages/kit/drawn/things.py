"""Things that a form names, chosen by looking for them: what is found, and what it is called.

Who may see somebody's name is as the API has it: a donor's, a clerk; an admin, who acts on what
donors ask in writing; colleagues', whoever hands out roles. A donor sees their own things alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from msgspec import Struct

from api.kernel.desk import own_of
from api.pages.kit.colleagues import SHORT, payee_called
from api.pages.kit.entrance import PageDesk
from api.pages.kit.labels import (
    AID_STATES,
    DONATION_STATES,
    DONOR_STATES,
    FUND_STATES,
    ROLES,
    SALE_STATES,
    marked,
)
from ledger.kernel.names import PartyId, PersonId
from ledger.kernel.roles import Role
from projections.views.choosing import (
    Criteria,
    find_disbursements,
    find_donations,
    find_funds,
    find_sales,
    known_donors,
    newest_donors,
)
from projections.views.disbursements import Disbursements
from projections.views.donations import Donations
from projections.views.fund_balances import FundBalances
from projections.views.sales import Sales

SHOWN_MAX = 12
"""Things that are found at once; whoever does not see theirs says more of it."""

NAMED_MAX = 200
"""Donors of a name whose things are looked for."""

WORDS_MAX = 8

NAMES_DONORS = frozenset({Role.CLERK, Role.ADMIN})
NAMES_PAYEES = frozenset({Role.CLERK, Role.APPROVER, Role.CASHIER})

DETAILS = ("name", "phone", "email")

WITHOUT_NAME = marked("without a name")

Row = Mapping[str, Any]


class Match(Struct, frozen=True):
    """A thing that can be chosen.

    Attributes:
        value: What the API knows it by.
        title: What people call it.
        details: What else tells it apart, each as it is.
        state: Where it stands, a word to be translated.
        amount: In fen, if it is about one.
        roles: That it has, words to be translated.

    """

    value: str
    title: str
    details: tuple[str, ...] = ()
    state: str | None = None
    amount: int | None = None
    roles: tuple[str, ...] = ()


class Search(Struct, frozen=True):
    """What is looked for, and who looks.

    Attributes:
        desk: Whose; in the role that they do it in.
        text: What they wrote.
        states: In which the step is possible; any, if it always is.
        among: What was chosen before, by the names of fields.
        value: The one thing that is looked up, if it is chosen already.
        in_suspense: Only donations of which money waits for the donor's word.

    """

    desk: PageDesk
    text: str = ""
    states: Collection[str] | None = None
    among: Mapping[str, str] = {}
    value: str | None = None
    in_suspense: bool = False

    @property
    def criteria(self) -> Criteria:
        """It, as the views are asked."""
        words = self.text.split()[:WORDS_MAX] if self.value is None else ()
        return Criteria(words, self.value, SHOWN_MAX + 1, self.states)

    def may(self, roles: Collection[Role]) -> bool:
        """Say whether the role in which it is done is one of these."""
        return self.desk.role in roles

    @property
    def own(self) -> str | None:
        """The one thing that the role is about, if it is about one alone."""
        only = own_of(self.desk.caller, self.desk.role)
        apart = self.desk.role in {Role.DONOR, Role.PARTNER}
        return str(only) if apart else None

    def details_of(self, party: str) -> Mapping[str, Any]:
        """Return what is sealed of somebody."""
        return self.desk.site.identity.vault.details(PartyId(party)) or {}

    def donors(self) -> list[str]:
        """Return the donors who are called so, if the reader may know what they are called."""
        if not self.text or not self.may(NAMES_DONORS):
            return []
        vault = self.desk.site.identity.vault
        return [str(each) for each in vault.find(self.text, DETAILS, limit=NAMED_MAX)]


def _donations(search: Search) -> list[Match]:
    with search.desk.read(Donations) as reading:
        rows = find_donations(
            reading.connection,
            search.criteria,
            donor=search.own,
            donors=search.donors(),
            in_suspense=search.in_suspense,
        )
    return [_donation(search, each) for each in rows]


def _donation(search: Search, row: Row) -> Match:
    called = search.details_of(row["donor"]).get("name") if search.may(NAMES_DONORS) else None
    title = called or row["name"] or row["fund"]
    details = (str(row["pledged_on"]), row["fund"], row["note"] or "", _short(row["donation"]))
    state = DONATION_STATES[row["state"]]
    return Match(row["donation"], title, _some(details), state, row["amount"])


def _disbursements(search: Search) -> list[Match]:
    with search.desk.read(Disbursements) as reading:
        rows = find_disbursements(reading.connection, search.criteria)
    return [_disbursement(search, each) for each in rows]


def _disbursement(search: Search, row: Row) -> Match:
    title = _payee(search, row) or row["purpose"]
    details = (
        str(row["requested_on"]),
        row["fund"],
        row["purpose"],
        row["grid"] or "",
        _short(row["disbursement"]),
    )
    state = AID_STATES[row["state"]]
    return Match(row["disbursement"], title, _some(details), state, row["amount"])


def _payee(search: Search, row: Row) -> str | None:
    if row["payee_name"] is None and not search.may(NAMES_PAYEES):
        return None
    return payee_called(search.desk, row["payee"], row["payee_name"])


def _payees(search: Search) -> list[Match]:
    """Return persons who are to be paid, each by the request for them."""
    with search.desk.read(Disbursements) as reading:
        rows = find_disbursements(reading.connection, search.criteria, to_persons=True)
    requests = [_disbursement(search, each) for each in rows]
    return [
        Match(row["payee"], each.title, each.details, each.state, each.amount)
        for row, each in zip(rows, requests, strict=True)
    ]


def _funds(search: Search) -> list[Match]:
    with search.desk.read(FundBalances) as reading:
        rows = find_funds(reading.connection, search.criteria)
    return [
        Match(each["fund"], each["name"], (each["fund"], each["purpose"]), _fund_state(each))
        for each in rows
    ]


def _fund_state(row: Row) -> str:
    return FUND_STATES[row["state"]]


def _sales(search: Search) -> list[Match]:
    with search.desk.read(Sales) as reading:
        rows = find_sales(reading.connection, search.criteria, sale=search.own)
    return [
        Match(
            each["sale"],
            each["name"],
            (each["partner"], f"{each['starts_on']} – {each['ends_on']}", each["fund"]),
            SALE_STATES[each["state"]],
        )
        for each in rows
    ]


def _donors(search: Search) -> list[Match]:
    with search.desk.read(Donations) as reading:
        if search.own is not None or search.value is not None:
            rows = known_donors(reading.connection, [search.own or search.value or ""])
        elif search.text:
            rows = known_donors(reading.connection, search.donors())[: SHOWN_MAX + 1]
        else:
            rows = newest_donors(reading.connection, search.criteria)
    states = search.states
    return [_donor(search, each) for each in rows if states is None or each["state"] in states]


def _donor(search: Search, row: Row) -> Match:
    hidden = row["state"] != "active" and not search.may({Role.ADMIN, Role.DONOR})
    kept = {} if hidden else search.details_of(row["donor"])
    details = (kept.get("phone", ""), kept.get("email", ""), _short(row["donor"]))
    title = kept.get("name", WITHOUT_NAME)
    return Match(row["donor"], title, _some(details), DONOR_STATES.get(row["state"]))


def _people(search: Search) -> list[Match]:
    if not search.may({Role.ADMIN}):
        return []
    users = search.desk.site.identity.users
    if search.value is not None:
        enrolled = [users.one(PersonId(search.value))]
    elif search.text:
        vault = search.desk.site.identity.vault
        parties = vault.find(search.text, ("name",), limit=NAMED_MAX)
        enrolled = [users.one(PersonId(each)) for each in parties]
    else:
        enrolled = list(users.everybody(0, SHOWN_MAX + 1))
    people = [each for each in enrolled if each is not None and each.disabled_at is None]
    return [
        Match(each.person, each.name or WITHOUT_NAME, roles=_roles(each.roles))
        for each in people[: SHOWN_MAX + 1]
    ]


def _tokens(search: Search) -> list[Match]:
    """Return the tokens of the person that was chosen before."""
    person = search.among.get("person_id")
    if not person or not search.may({Role.ADMIN}):
        return []
    return [
        Match(
            each.id,
            each.scope.name or each.id,
            (f"{each.created_at:%Y-%m-%d}", each.id),
            roles=_roles(each.scope.roles),
        )
        for each in search.desk.site.identity.tokens.of(PersonId(person))
        if each.revoked_at is None
    ]


def _roles(roles: Sequence[Role]) -> tuple[str, ...]:
    return tuple(ROLES[role] for role in roles)


def _short(id_: str) -> str:
    return f"…{id_[-SHORT:]}"


def _some(details: Sequence[str]) -> tuple[str, ...]:
    return tuple(each for each in details if each)


_FINDERS: Mapping[str, Callable[[Search], list[Match]]] = {
    "donations": _donations,
    "donors": _donors,
    "funds": _funds,
    "sales": _sales,
    "disbursements": _disbursements,
    "people": _people,
    "tokens": _tokens,
    "payees": _payees,
}
"""How each kind of thing is found."""


def matches_of(thing: str, search: Search) -> list[Match]:
    """Return what is found of a kind of thing, at most one more than is shown."""
    return _FINDERS[thing](search)


def chosen(thing: str, search: Search) -> Match | None:
    """Return the thing that was chosen, if the step is possible for it."""
    return next((each for each in matches_of(thing, search) if each.value == search.value), None)
