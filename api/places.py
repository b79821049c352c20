"""Locations of a ledger: the files of one folder, or one PostgreSQL database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple, Self

from ledger.kernel.errors import LedgerError
from ledger.people.identity import key_beside
from ledger.store.engine import is_url
from ledger.store.outage import named
from projections.log.keys import KeyFile

DATABASE_URL = "LEIFENG_DATABASE_URL"
"""The environment variable that names a PostgreSQL database to keep everything in."""


LOG_KEY = "LEIFENG_LOG_KEY"
"""The environment variable that names the file of the log's secret key."""


VAULT_KEY = "LEIFENG_VAULT_KEY"
"""The environment variable that names the file with the key that people's details are sealed by."""


DEMO_MARK = "DEMO"
"""A file that says that a folder is a demo's: made up, and free to be made anew."""


def key_file(data: Path) -> KeyFile:
    """Return where the log's secret key is: in the folder ``data``, or as the environment says."""
    return KeyFile(Path(os.environ.get(LOG_KEY) or data / "keys" / "log.key"))


def _vault_key(data: Path) -> Path:
    named = os.environ.get(VAULT_KEY)
    return Path(named) if named else key_beside(data)


def policy_file(data: Path) -> Path:
    """Return where it is written which witnesses the log asks (C2SP tlog-policy)."""
    return data / "policy"


class Places(NamedTuple):
    """Locations of the parts of a ledger."""

    ledger: Path | str
    people: Path | str
    views: Path | str
    log: Path | str
    vault_key: Path

    @classmethod
    def of(cls, data: Path) -> Self:
        """Return the database that the environment names, or else files in the folder ``data``."""
        url = os.environ.get(DATABASE_URL)
        return cls.at(url, data) if url else cls.in_folder(data)

    @classmethod
    def at(cls, url: str, data: Path = Path()) -> Self:
        """Return the places of a ledger in one PostgreSQL database, with its keys in a folder."""
        if not is_url(url):
            raise NotPostgres
        return cls(url, url, url, url, _vault_key(data))

    @classmethod
    def in_folder(cls, data: Path) -> Self:
        """Return the places of a ledger that is kept in files of one folder."""
        return cls(
            data / "ledger.db",
            data / "people.db",
            data / "views.db",
            data / "log.db",
            _vault_key(data),
        )

    @property
    def are_files(self) -> bool:
        """The ledger is kept in files of a folder."""
        return isinstance(self.ledger, Path)

    def __str__(self) -> str:
        """Name them for a person, without the password that a URL may have."""
        if isinstance(self.ledger, Path):
            return str(self.ledger.parent)
        return named(self.ledger)


class NotPostgres(LedgerError):
    """A ledger is kept in files, or in PostgreSQL."""

    def __init__(self) -> None:
        super().__init__(f"{DATABASE_URL} must begin with postgresql://")
