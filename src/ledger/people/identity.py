"""Identity: authentication, tokens and personal data behind one object.

It stands apart from the history, so that a token can be made while the ledger is being written.
Names are in the vault; what is looked up at a door names nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from math import inf
from pathlib import Path
from threading import Lock
from time import monotonic, time
from typing import cast
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import Connection, func, select

from ledger.kernel.aggregate import day_at
from ledger.kernel.errors import LedgerError
from ledger.kernel.names import DonorId, PartyId, PersonId, SaleId
from ledger.kernel.roles import Role
from ledger.people.caller import Caller
from ledger.people.database import PeopleDatabase
from ledger.people.erasure import erase
from ledger.people.external_identities import ExternalIdentities
from ledger.people.keys import KeyFile
from ledger.people.passwords import Passwords
from ledger.people.plain import seal_plain, take_away
from ledger.people.second_factors import SecondFactors
from ledger.people.sessions import Sessions
from ledger.people.tables import CHANGES, PERSONS, TOKENS
from ledger.people.tokens import Scope, Tokens, ValidToken, caller_by, digest_of, look_up, note_use
from ledger.people.user_directory import UserDirectory
from ledger.people.vault import Vault
from ledger.store.commits import StoreFailed

NEAR_LOOKS_S = 0.02
FAR_LOOKS_S = 1.0
"""Seconds for which a file, or a far database, is not asked again whether another process changed
a token. What this process changes it knows at once, and a token that is new is always looked up.
"""

TRUSTED_S = 30.0
"""Seconds for which tokens looked up before are still taken while the register is away."""


class KeyPlaceUnknown(LedgerError):
    """The key of a vault is kept apart from its database, in a file that is named."""

    def __init__(self) -> None:
        super().__init__("name the file of the vault's key in LEIFENG_VAULT_KEY")


def key_beside(folder: Path) -> Path:
    """Return where the vault's key is kept for databases in ``folder``, if not said otherwise."""
    return folder / "keys" / "vault.key"


class Identity:
    """Users and their credentials, with the vault that holds personal data.

    Attributes:
        is_local: Asking takes microseconds, so it may be done between two requests.
        vault: Personal data, sealed.
        database: The database of it all.
        keys: The file with the key of the vault.
        users: People and their roles.
        tokens: Bearer tokens of programs, and of people without a browser.
        sessions: Sessions of browsers.
        passwords: Passwords and invitations.
        external_identities: Accounts at an OpenID provider, for those who sign in there instead.
        second_factors: One-time codes of those who set them up.
        notices: What was changed in the database when it was opened, in lines.

    """

    def __init__(  # noqa: PLR0913  # The last three are for tests.
        self,
        where: Path | str,
        key: Path | None = None,
        *,
        upgrade: bool = False,
        looks_s: float | None = None,
        trusted_s: float = TRUSTED_S,
        clock: Callable[[], float] = time,
    ) -> None:
        """Open the register at ``where``.

        Args:
            where: A file, or the URL of a PostgreSQL database.
            key: The file of the vault's key; beside a register in a file, if not said.
            upgrade: Older tables of a database may be changed; a file is always brought up.
            looks_s: See ``NEAR_LOOKS_S`` and ``FAR_LOOKS_S``, one of which it is otherwise.
            trusted_s: See ``TRUSTED_S``.
            clock: Seconds since 1970, by which tokens end.

        """
        if key is None and not isinstance(where, Path):
            raise KeyPlaceUnknown
        self.keys = KeyFile(key or key_beside(Path(where).parent))
        self.database = PeopleDatabase(where)
        self.vault = Vault(self.database, self.keys)
        self.users = UserDirectory(self.database, self.vault)
        self.tokens = Tokens(self.database)
        self.sessions = Sessions(self.database)
        self.passwords = Passwords(self.database)
        self.external_identities = ExternalIdentities(self.database, self.vault)
        self.second_factors = SecondFactors(self.database, self.vault)
        self.notices = self._prepare(upgrade=upgrade)
        self.is_local = self.database.is_local
        self._watch = self.database.engine.raw_connection() if self.is_local else None
        usual_s = NEAR_LOOKS_S if self.is_local else FAR_LOOKS_S
        self._looks_s = usual_s if looks_s is None else looks_s
        self._trusted_s = trusted_s
        self._clock = clock
        self._looked = self._tried = -inf
        self._away: StoreFailed | None = None
        self._lock = Lock()
        self._seen: int | None = None
        self._good: dict[str, ValidToken] = {}

    def _prepare(self, *, upgrade: bool) -> list[str]:
        """See that the tables are there, and everything sealed that is kept of anybody in them."""

        def seal_all(connection: Connection) -> list[str]:
            return self.vault.set_up(connection) + seal_plain(connection, self.vault)

        try:
            notices = self.database.prepare(upgrade=upgrade, then=seal_all)
            take_away(self.database)
        except BaseException:
            self.database.close()
            raise
        return notices

    def close(self) -> None:
        """Let go of the database."""
        if self._watch is not None:
            self._watch.close()
        self.database.close()

    def create_token(
        self,
        name: str,
        roles: Sequence[Role],
        *,
        at: datetime,
        donor: DonorId | None = None,
        sale: SaleId | None = None,
    ) -> str:
        """Return a new token for the person called ``name``. It is shown this once."""
        scope = Scope(tuple(Role(role) for role in roles), donor=donor, sale=sale)
        return self.create_scoped(name, scope, at=at)

    def create_scoped(self, name: str, scope: Scope, *, at: datetime) -> str:
        """Return a new token for the person called ``name``, for what ``scope`` says.

        Whoever is not on the roll is put on it, and roles that they have not are given to them.
        """
        with self.database.writing() as connection:
            person = self.users.enrol_in(connection, name, scope.roles, at)
            self._is_for(connection, person, scope.donor, scope.sale)
            token = self.tokens.create_in(connection, person, scope, at=at)
        self.look_at_once()
        return token

    def look_at_once(self) -> None:
        """Look for changed tokens at the next request."""
        self._tried = -inf

    def _is_for(
        self, connection: Connection, person: PersonId, donor: DonorId | None, sale: SaleId | None
    ) -> None:
        """Note the donor and the sale that the roles of ``person`` are limited to."""
        for column, meant in ((PERSONS.c.donor, donor), (PERSONS.c.sale, sale)):
            if meant is not None:
                one = PERSONS.update().where(PERSONS.c.person == person, column.is_(None))
                connection.execute(one.values({column: str(meant)}))

    def caller(self, token: str) -> Caller | None:
        """Return the caller who holds ``token``, or None.

        What was looked up is remembered until a token is made or changed, also by another process.
        """
        digest = digest_of(token)
        with self._lock:
            self._look_for_changes()
            good = self._good.get(digest)
            if good is None:
                good = self._find(digest)
            if good is None or self._is_over(good):
                return None
            if good.used_on != self._today():
                good = self._note_use(digest, good)
            self._good[digest] = good
            return good.caller

    def remembered(self, token: str) -> Caller | None:
        """Return who holds ``token`` if that is known without asking the database now."""
        if self._away is not None or monotonic() - self._tried >= self._looks_s:
            return None
        good = self._good.get(digest_of(token))
        if good is None or self._is_over(good) or good.used_on != self._today():
            return None
        return good.caller

    def _is_over(self, good: ValidToken) -> bool:
        return good.expires_at is not None and good.expires_at.timestamp() <= self._clock()

    def _today(self) -> date:
        return day_at(self._clock())

    def _note_use(self, digest: str, good: ValidToken) -> ValidToken:
        """Keep the day on which a token is shown, once a day, so that a request does not write."""
        today = self._today()
        with suppress(StoreFailed), self.database.writing() as connection:
            note_use(connection, digest, today)
        return replace(good, used_on=today)

    def _look_for_changes(self) -> None:
        """Forget what was looked up if any token changed since; ask a far database now and then.

        A far database that is away for a moment has no news.
        """
        now = monotonic()
        if now - self._tried >= self._looks_s:
            self._tried = now
            try:
                self._take_note(self._newest_change())
            except StoreFailed as error:
                self._away = error
            else:
                self._looked, self._away = now, None
        if self._away is not None and now - self._looked > self._trusted_s:
            raise self._away

    def _take_note(self, changes: int | None) -> None:
        if changes != self._seen:
            self._good.clear()
            self._seen = changes

    def _newest_change(self) -> int | None:
        if self._watch is None:
            with self.database.reading() as connection:
                return connection.execute(select(func.max(CHANGES.c.number))).scalar()
        cursor = self._watch.cursor()
        cursor.execute("SELECT max(number) FROM changes")
        (changes,) = cursor.fetchone() or (None,)
        cursor.close()
        return cast("int | None", changes)

    def _find(self, digest: str) -> ValidToken | None:
        with self.database.reading() as connection:
            return look_up(connection, digest)

    def callers(self, name: str) -> list[Caller]:
        """Return the caller that each token of the person called ``name`` stands for, if any."""
        with self.database.reading() as connection:
            digest = self.vault.name_digest(connection, name)
            query = (
                select(TOKENS)
                .join(PERSONS, PERSONS.c.person == TOKENS.c.person)
                .where(PERSONS.c.name_digest == digest, TOKENS.c.revoked_at.is_(None))
                .where(PERSONS.c.disabled_at.is_(None))
            )
            rows = connection.execute(query).mappings().all()
            callers = [(row["expires_at"], caller_by(connection, row)) for row in rows]
        now = datetime.fromtimestamp(self._clock(), UTC)
        return [caller for ends, caller in callers if ends is None or now < ends]

    def erase(self, donors: Iterable[UUID]) -> int:
        """Destroy the personal data of erased ``donors``; see ``people.erasure``."""
        return erase(self.database, [PartyId(str(each)) for each in donors])

    def is_donor(self, person: PersonId, donor: DonorId, *, at: datetime) -> None:
        """Note that ``person``, who registered themselves, is ``donor``."""
        with self.database.writing() as connection:
            connection.execute(CHANGES.insert(), {"at": at})
            connection.execute(
                TOKENS.update()
                .where(TOKENS.c.person == person, TOKENS.c.donor.is_(None))
                .values(donor=str(donor))
            )
            self._is_for(connection, person, donor, None)
        self.look_at_once()
