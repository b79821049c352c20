"""Where a ledger is kept: files of one folder, or one PostgreSQL database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple, Self

from ledger.errors import LedgerError
from ledger.store.engine import is_url
from ledger.store.outage import named

DATABASE_URL = "LEIFENG_DATABASE_URL"
"""The environment variable that names a PostgreSQL database to keep everything in."""


class Places(NamedTuple):
    """Where the parts of a ledger are kept."""

    ledger: Path | str
    people: Path | str
    views: Path | str

    @classmethod
    def of(cls, data: Path) -> Self:
        """Return the database that the environment names, or else files in the folder ``data``."""
        url = os.environ.get(DATABASE_URL)
        return cls.at(url) if url else cls.in_folder(data)

    @classmethod
    def at(cls, url: str) -> Self:
        """Return the places of a ledger that is kept in one PostgreSQL database."""
        if not is_url(url):
            raise NotPostgres
        return cls(url, url, url)

    @classmethod
    def in_folder(cls, data: Path) -> Self:
        """Return the places of a ledger that is kept in files of one folder."""
        return cls(data / "ledger.db", data / "people.db", data / "views.db")

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
