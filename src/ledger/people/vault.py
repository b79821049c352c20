"""The vault: personal data, sealed field by field with a key per person.

A person's data key is wrapped by the key-encryption key, which is kept elsewhere. Without the data
key nothing of the person can be read, in whatever copy; so that is what erasing destroys.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from ledger.kernel.names import PartyId
from ledger.people.database import PeopleDatabase
from ledger.people.keys import KeyFile
from ledger.people.sealing import new_key, seal, seal_bytes, unseal, unseal_bytes
from ledger.people.tables import DATA_KEYS, SEALED, VAULT

NAMES = PartyId("names")
"""The data key that names of people with tokens are looked up by, which is nobody's own."""

NAME = "name"

LOOKED_THROUGH_MAX = 100_000
"""Sealed fields that are opened for one search; it takes a second or two."""

_DATA_KEY, _FIELD = "data-key", "field"
"""What a seal is bound to, besides whom it is about."""


class Vault:
    """Sealed details, by the opaque ids that the history knows."""

    def __init__(self, database: PeopleDatabase, keys: KeyFile) -> None:
        self._database = database
        self._keys = keys

    # On its own.

    def keep(self, party: PartyId, details: Mapping[str, Any]) -> PartyId:
        """Seal a person's details under their opaque id."""
        with self._database.writing() as connection:
            self.put(connection, party, details)
        return party

    def forget(self, party: PartyId) -> None:
        """Delete the personal data of ``party``, as nothing was recorded about them."""
        with self._database.writing() as connection:
            self.take_out(connection, party)

    def details(self, party: PartyId) -> dict[str, Any] | None:
        """Return the personal data of ``party``; None if they are unknown or were erased."""
        with self._database.reading() as connection:
            row = _data_key(connection, party)
            boxes = connection.execute(
                select(SEALED.c.field, SEALED.c.box)
                .where(SEALED.c.party == party)
                .order_by(SEALED.c.field)
            ).all()
        if row is None:
            return None
        key = self.unwrapped(row)
        return {field: unseal(key, box, _FIELD, party, field) for field, box in boxes}

    def find(self, text: str, fields: Collection[str], *, limit: int) -> list[PartyId]:
        """Return up to ``limit`` parties with ``text`` in one of these fields, newest first.

        Nothing sealed can be looked up, so the newest ``LOOKED_THROUGH_MAX`` of these fields are
        opened one after the other. Width and case are passed over.
        """
        part = _alike(text)
        query = (
            select(SEALED.c.field, SEALED.c.box, DATA_KEYS)
            .join(DATA_KEYS, DATA_KEYS.c.party == SEALED.c.party)
            .where(SEALED.c.field.in_(list(fields)))
            .order_by(SEALED.c.party.desc())
            .limit(LOOKED_THROUGH_MAX)
        )
        parties: dict[PartyId, None] = {}
        with self._database.reading() as connection:
            for row in connection.execute(query).mappings():
                party, field = PartyId(row["party"]), row["field"]
                kept = unseal(self.unwrapped(row), row["box"], _FIELD, party, field)
                if part in _alike(str(kept)):
                    parties[party] = None
                if len(parties) == limit:
                    break
        return list(parties)

    # Within a transaction.

    def put(self, connection: Connection, party: PartyId, details: Mapping[str, Any]) -> None:
        """Seal ``details`` with a key that is made for ``party``."""
        key = self._make_key(connection, party)
        boxes = [
            {"party": party, "field": field, "box": seal(key, value, _FIELD, party, field)}
            for field, value in details.items()
        ]
        if boxes:
            connection.execute(SEALED.insert(), boxes)

    def take_out(self, connection: Connection, party: PartyId) -> None:
        """Delete the personal data of ``party``."""
        for table in (DATA_KEYS, SEALED):
            connection.execute(table.delete().where(table.c.party == party))

    def put_field(self, connection: Connection, party: PartyId, field: str, value: Any) -> None:
        """Seal one more field with the key of ``party``, replacing its previous value."""
        row = _data_key(connection, party)
        assert row is not None  # noqa: S101  # Whoever is asked for more is known.
        box = seal(self.unwrapped(row), value, _FIELD, party, field)
        where = (SEALED.c.party == party, SEALED.c.field == field)
        connection.execute(SEALED.delete().where(*where))
        connection.execute(SEALED.insert(), {"party": party, "field": field, "box": box})

    def field(self, connection: Connection, party: PartyId, field: str) -> Any:
        """Return one field of ``party``, or None."""
        where = (SEALED.c.party == party, SEALED.c.field == field)
        box = connection.execute(select(SEALED.c.box).where(*where)).scalar()
        row = _data_key(connection, party)
        if box is None or row is None:
            return None
        return unseal(self.unwrapped(row), box, _FIELD, party, field)

    def name_digest(self, connection: Connection, name: str) -> str:
        """Return the keyed digest by which a name is looked up."""
        row = _data_key(connection, NAMES)
        assert row is not None  # noqa: S101  # Made with the register.
        return hmac.digest(self.unwrapped(row), name.encode(), "sha256").hex()

    def derived(self, what: bytes) -> bytes:
        """Return 256 bits derived from ``what``, unpredictable without the key."""
        with self._database.reading() as connection:
            row = _data_key(connection, NAMES)
        assert row is not None  # noqa: S101  # Made with the register.
        return hmac.digest(self.unwrapped(row), b"derived/" + what, "sha256")

    def set_up(self, connection: Connection) -> list[str]:
        """Ensure that the key of the people database exists; return what was done.

        A new register is given the newest key of the file, or a file if there is none.
        """
        kek = connection.execute(select(VAULT.c.kek)).scalar()
        if kek is not None:
            self._keys.secret(kek)
            return []
        first, made = self._keys.first()
        connection.execute(VAULT.insert(), {"one": 1, "kek": first.id})
        self._make_key(connection, NAMES)
        return [f"made vault key {first.id} in {self._keys.path}: keep a copy apart"] * made

    # Data keys, wrapped.

    def _make_key(self, connection: Connection, party: PartyId) -> bytes:
        """Make a data key for ``party`` and keep it wrapped.

        The row that says by which key is held until the transaction ends, so that no key is
        wrapped by one that is being done away with.
        """
        kek = connection.execute(select(VAULT.c.kek).with_for_update(read=True)).scalar_one()
        key = new_key()
        connection.execute(DATA_KEYS.insert(), self.wrapped(party, key, kek))
        return key

    def wrapped(self, party: str, key: bytes, kek: str) -> dict[str, Any]:
        """Return the row of a data key, wrapped by the key-encryption key ``kek``."""
        secret = self._keys.secret(kek)
        wrapped = seal_bytes(secret, key, _DATA_KEY, party)
        return {"party": party, "kek": kek, "wrapped": wrapped}

    def unwrapped(self, row: RowMapping) -> bytes:
        """Return the data key of a row, unwrapped."""
        secret = self._keys.secret(row["kek"])
        return unseal_bytes(secret, row["wrapped"], _DATA_KEY, row["party"])


def _alike(text: str) -> str:
    """Return what spellings of a name that differ in width and case have in common.

    >>> _alike("ＬＩ Ming")
    'li ming'

    """
    return unicodedata.normalize("NFKC", text).casefold().strip()


def _data_key(connection: Connection, party: PartyId) -> RowMapping | None:
    query = select(DATA_KEYS).where(DATA_KEYS.c.party == party)
    return connection.execute(query).mappings().first()
