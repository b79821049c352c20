"""Things that a form names, chosen by looking for them: what matches, and what it is called.

Who may see somebody's name is as the API has it: a donor's, a clerk; an admin, who acts on what
donors ask in writing; colleagues', whoever hands out roles. A donor sees their own things alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from msgspec import Struct

from api.kernel.desk import Desk, own_of
from api.kernel.texts import marked
from ledger.kernel.names import PartyId
from ledger.kernel.roles import Role
from projections.kernel.finding import Criteria

MATCHES_MAX = 12
"""Things that are shown at once; whoever does not see theirs says more of it."""

NAMED_MAX = 200
"""People of a name whose things are looked for."""

WORDS_MAX = 8

SHORT = 8
"""Last characters of an id, which tell apart whoever has no name here."""

NAMES_DONORS = frozenset({Role.CLERK, Role.ADMIN})

DETAILS = ("name", "phone", "email")

WITHOUT_NAME = marked("without a name")


class Match(Struct, frozen=True):
    """A thing that can be chosen.

    Attributes:
        value: What the API knows it by.
        title: What people call it.
        details: What else tells it apart, each as it is; what is empty is left out.
        state: Where it stands, to be translated.
        amount: In fen, if it is about one.
        roles: That it has, to be translated.

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
        operation: What it is looked for, such as ``funds/transfers``.
        text: What they wrote.
        states: In which the step is possible; any, if it always is.
        among: What was chosen before, by the names of fields.
        value: The one thing that is looked up, if it is chosen already.

    """

    desk: Desk
    operation: str
    text: str = ""
    states: Collection[str] | None = None
    among: Mapping[str, str] = {}
    value: str | None = None

    @property
    def criteria(self) -> Criteria:
        """It, as the views are asked."""
        words = self.text.split()[:WORDS_MAX] if self.value is None else ()
        return Criteria(words, self.value, MATCHES_MAX + 1, self.states)

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


class Thing(Struct, frozen=True):
    """A kind of thing that forms name: it is chosen by searching and never typed.

    Attributes:
        kind: Such as ``sales``.
        fields: What each field is called that names one, by the field's name.
        find: Return what matches, at most one more than is shown.
        states: In which a body can name one, whatever is done; any, if none is given.

    """

    kind: str
    fields: Mapping[str, str]
    find: Callable[[Search], list[Match]]
    states: Collection[str] | None = None

    def one(self, search: Search) -> Match | None:
        """Return the thing that is looked up, if the step is possible for it."""
        return next((each for each in self.find(search) if each.value == search.value), None)


def short(id_: str) -> str:
    """Return the end of an id, which tells apart whoever has no name here."""
    return f"…{id_[-SHORT:]}"


def some(details: Sequence[str | None]) -> tuple[str, ...]:
    """Return the details that there are."""
    return tuple(each for each in details if each)
