"""Changes the key-encryption key: wraps every data key anew, and touches nothing that is sealed.

Both keys are in the file until no data key is left under the old one. So it may be interrupted
anywhere, people go on being registered meanwhile, and running it again finishes it.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from sqlalchemy import Connection, func, select

from ledger.people.database import PeopleDatabase
from ledger.people.keys import Key, KeyFile
from ledger.people.sealing import new_key
from ledger.people.tables import DATA_KEYS, VAULT
from ledger.people.vault import Vault

BATCH = 500
"""Data keys wrapped anew in one transaction."""

Progress = Callable[[int, int], None]
"""Called now and then with how far it is, and how far it goes."""


class Rotated(Struct, frozen=True):
    """The result of a key rotation.

    Attributes:
        old: The id of the key that wrapped until now.
        new: The id of the key that does from now on.
        wrapped: Data keys that were wrapped anew.

    """

    old: str
    new: str
    wrapped: int


def rotate(database: PeopleDatabase, vault: Vault, keys: KeyFile, progress: Progress) -> Rotated:
    """Make a new key-encryption key, or resume a rotation, and wrap every data key by it.

    In the end the file has the new key alone, and what was wrapped before, in backups for
    instance, opens only with the old one.
    """
    with keys.alone():
        with database.reading() as connection:
            old = connection.execute(select(VAULT.c.kek)).scalar_one()
            left = _left(connection, keys.read()[0].id)
        if old == keys.read()[0].id and not left:  # None was begun.
            keys.write([Key.of(new_key()), *keys.read()])
        new, *_ = keys.read()
        with database.writing() as connection:
            connection.execute(VAULT.update().values(kek=new.id))
        wrapped = _wrap_all(database, vault, new.id, progress)
        keys.write([new])
    database.clear()
    return Rotated(old, new.id, wrapped)


def _wrap_all(database: PeopleDatabase, vault: Vault, kek: str, progress: Progress) -> int:
    with database.reading() as connection:
        left = _left(connection, kek)
    wrapped, more = 0, True
    while more:
        with database.writing() as connection:
            done = _wrap_some(connection, vault, kek)
        wrapped += done
        more = done > 0
        progress(wrapped, max(wrapped, left))
    return wrapped


def _wrap_some(connection: Connection, vault: Vault, kek: str) -> int:
    rows = (
        connection.execute(select(DATA_KEYS).where(DATA_KEYS.c.kek != kek).limit(BATCH))
        .mappings()
        .all()
    )
    for row in rows:
        again = vault.wrapped(row["party"], vault.unwrapped(row), kek)
        connection.execute(
            DATA_KEYS.update().where(DATA_KEYS.c.party == row["party"]).values(again)
        )
    return len(rows)


def _left(connection: Connection, kek: str) -> int:
    """Count the data keys that are wrapped by any other key."""
    query = select(func.count()).select_from(DATA_KEYS).where(DATA_KEYS.c.kek != kek)
    return connection.execute(query).scalar_one()
