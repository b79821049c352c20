"""Schema versions and migrations of a ledger's databases.

Each kind of database carries the number of the last migration that it has been through, in a table
of one row. A program opens what has exactly its own number. What is older is brought up, one
migration after the other, in the transaction that also writes the new number; what is newer was
written by a later program, which may mean things by it that this one does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from ledger.kernel.errors import LedgerError

SQLITE, POSTGRESQL = "sqlite", "postgresql"

UNFINISHED = -1
"""The version of a database into which another is being copied."""

Run = Callable[[str], Any]
"""Executes one statement, in a transaction that no other writer is in; returns a cursor."""


class Migration(NamedTuple):
    """One step from a version of the tables to the next.

    Attributes:
        what: What it does, as told to whoever runs it.
        statements: In their order, by dialect. What was released is never edited.

    """

    what: str
    statements: Mapping[str, Sequence[str]]


class Schema(NamedTuple):
    """The tables of one kind of database.

    Attributes:
        name: What is kept in it.
        migrations: The first creates it; a database of version n has been through n of them.
        lookups: Topics by which events are looked up, each with the name of an index of the
            streams that have such an event. One that is not there yet is made with an upgrade.

    """

    name: str
    migrations: Sequence[Migration]
    lookups: Mapping[str, str] = MappingProxyType({})

    @property
    def version(self) -> int:
        """The version that this program knows."""
        return len(self.migrations)


class SchemaError(LedgerError):
    """A program and a database have to agree about the tables."""


class NotCreated(SchemaError):
    """What is only read has to be there."""

    def __init__(self, schema: Schema) -> None:
        super().__init__(f"there is no ledger here: {schema.name} were never created")


class Newer(SchemaError):
    """What a later program wrote is left to it."""

    def __init__(self, schema: Schema, version: int) -> None:
        super().__init__(
            f"{schema.name} have version {version}, which is newer than the {schema.version} that"
            " this program knows; use the program that wrote it"
        )


class Older(SchemaError):
    """What is older is brought up before it is used."""

    def __init__(self, schema: Schema, version: int) -> None:
        super().__init__(
            f"{schema.name} have version {version} and this program needs {schema.version};"
            " stop every server and run leifeng migrate"
        )


class Unfinished(SchemaError):
    """A copy is used when all of it is there."""

    def __init__(self, schema: Schema) -> None:
        super().__init__(f"{schema.name} were not copied to the end; empty it and copy again")


_EVENTS_1 = Migration(
    "tables for events, tallies and answers",
    {
        # A position is a column of its own: SQLite may renumber rows that are not. Answers stand in
        # the order in which they were given, beside a slim index: their ids come in none, and kept
        # in the order of ids nearly every answer would be a page of its own to write.
        SQLITE: (
            """
            CREATE TABLE IF NOT EXISTS stored_events (
                position           INTEGER PRIMARY KEY,
                originator_id      TEXT NOT NULL,
                originator_version INTEGER NOT NULL,
                topic              TEXT NOT NULL,
                state              BLOB NOT NULL,
                UNIQUE (originator_id, originator_version)
            ) STRICT
            """,
            """
            CREATE TABLE IF NOT EXISTS tallies (
                subject TEXT NOT NULL,
                name    TEXT NOT NULL,
                value   INTEGER NOT NULL,
                PRIMARY KEY (subject, name),
                CHECK (value >= 0 OR NOT (name = 'available' OR name LIKE 'unsold %'))
            ) STRICT, WITHOUT ROWID
            """,
            """
            CREATE TABLE IF NOT EXISTS answers (
                command     BLOB NOT NULL PRIMARY KEY,
                fingerprint BLOB NOT NULL,
                receipt     BLOB NOT NULL
            ) STRICT
            """,
        ),
        POSTGRESQL: (
            """
            CREATE TABLE IF NOT EXISTS stored_events (
                position           bigint PRIMARY KEY,
                originator_id      uuid NOT NULL,
                originator_version bigint NOT NULL,
                topic              text NOT NULL,
                state              bytea NOT NULL,
                UNIQUE (originator_id, originator_version)
            )
            """,
            """
            CREATE TABLE IF NOT EXISTS tallies (
                subject text COLLATE "C" NOT NULL,
                name    text COLLATE "C" NOT NULL,
                value   bigint NOT NULL,
                PRIMARY KEY (subject, name),
                CHECK (value >= 0 OR NOT (name = 'available' OR name LIKE 'unsold %'))
            )
            """,
            """
            CREATE TABLE IF NOT EXISTS answers (
                command     uuid PRIMARY KEY,
                fingerprint jsonb NOT NULL,
                receipt     jsonb NOT NULL
            )
            """,
        ),
    },
)

_ERASURES = (
    "CREATE INDEX IF NOT EXISTS erasures ON stored_events (originator_id)"
    " WHERE topic = 'donor.erased.1'"
)

_EVENTS_2 = Migration(
    "an index of erasures, which are looked up at every start",
    {SQLITE: (_ERASURES,), POSTGRESQL: (_ERASURES,)},
)

# What version 2 kept from falling below zero it named in a CHECK. Those names are history: they say
# which rows of then have a floor. Since version 3 each row carries its own, and no table names any.
_FLOORS_OF_2 = "CASE WHEN name = 'available' OR name LIKE 'unsold %' THEN 0 END"

_EVENTS_3 = Migration(
    "tallies with a floor of their own, or a value per day",
    {
        SQLITE: (
            """
            CREATE TABLE tallies_3 (
                subject TEXT NOT NULL,
                name    TEXT NOT NULL,
                value   INTEGER NOT NULL,
                floor   INTEGER,
                PRIMARY KEY (subject, name),
                CHECK (floor IS NULL OR value >= floor)
            ) STRICT, WITHOUT ROWID
            """,
            f"INSERT INTO tallies_3 SELECT subject, name, value, {_FLOORS_OF_2} FROM tallies",  # noqa: S608  # Ours.
            "DROP TABLE tallies",
            "ALTER TABLE tallies_3 RENAME TO tallies",
            """
            CREATE TABLE tallies_by_day (
                subject TEXT NOT NULL,
                name    TEXT NOT NULL,
                day     TEXT NOT NULL,
                value   INTEGER NOT NULL,
                floor   INTEGER,
                PRIMARY KEY (subject, name, day),
                CHECK (floor IS NULL OR value >= floor)
            ) STRICT, WITHOUT ROWID
            """,
        ),
        POSTGRESQL: (
            "ALTER TABLE tallies ADD COLUMN floor bigint, DROP CONSTRAINT tallies_check",
            f"UPDATE tallies SET floor = {_FLOORS_OF_2} WHERE {_FLOORS_OF_2} IS NOT NULL",  # noqa: S608  # Ours.
            "ALTER TABLE tallies ADD CHECK (floor IS NULL OR value >= floor)",
            """
            CREATE TABLE tallies_by_day (
                subject text COLLATE "C" NOT NULL,
                name    text COLLATE "C" NOT NULL,
                day     date NOT NULL,
                value   bigint NOT NULL,
                floor   bigint,
                PRIMARY KEY (subject, name, day),
                CHECK (floor IS NULL OR value >= floor)
            )
            """,
        ),
    },
)

EVENTS = Schema("the events", (_EVENTS_1, _EVENTS_2, _EVENTS_3))
"""The store: events, and what is changed together with them."""

_VERSION = "CREATE TABLE ledger_schema (one integer PRIMARY KEY CHECK (one = 1), version bigint)"

_EXISTS = {
    SQLITE: "SELECT name FROM sqlite_master WHERE name = {}",
    POSTGRESQL: "SELECT to_regclass({})",
}


def version_of(run: Run, dialect: str) -> int:
    """Return the version of the tables that are there; 0 if none were created."""
    if not _exists(run, dialect, "ledger_schema"):
        return 0
    return int(run("SELECT version FROM ledger_schema").fetchone()[0])


def _exists(run: Run, dialect: str, name: str) -> bool:
    """Say whether there is a table or an index of this name."""
    row = run(_EXISTS[dialect].format(literal(name))).fetchone()
    return row is not None and row[0] is not None


def check(run: Run, dialect: str, schema: Schema) -> None:
    """Refuse what this program would not read rightly."""
    version = version_of(run, dialect)
    if version == 0:
        raise NotCreated(schema)
    _refuse_others(schema, version)
    if version < schema.version:
        raise Older(schema, version)


def migrate(run: Run, dialect: str, schema: Schema, *, upgrade: bool) -> list[str]:
    """Create the tables, or bring them up; return in lines what was done.

    Args:
        run: See ``Run``.
        dialect: Of the statements.
        schema: What ought to be there.
        upgrade: Tables that are there may be changed; otherwise older ones are refused.

    """
    version = version_of(run, dialect)
    _refuse_others(schema, version)
    if version == schema.version:
        return _make_lookups(run, dialect, schema) if upgrade else []
    if version and not upgrade:
        raise Older(schema, version)
    notices = []
    for number, migration in enumerate(schema.migrations[version:], version + 1):
        for statement in migration.statements[dialect]:
            run(statement)
        done = "created" if number == 1 else f"upgraded to version {number}"
        notices.append(f"{done} {schema.name}: {migration.what}")
    set_version(run, dialect, schema.version)
    return notices + _make_lookups(run, dialect, schema)


def _make_lookups(run: Run, dialect: str, schema: Schema) -> list[str]:
    """Make the indexes that are not there; return in lines which."""
    made = []
    for topic, name in schema.lookups.items():
        if not _exists(run, dialect, name):
            which = f"WHERE topic = {literal(topic)}"
            run(f"CREATE INDEX {name} ON stored_events (originator_id) {which}")
            made.append(f"made an index of {schema.name}: {topic}")
    return made


def literal(text: str) -> str:
    """Return ``text`` as SQL spells it.

    An index of some rows is used by a statement in which it is written out which rows are meant.

    >>> literal("donor's")
    "'donor''s'"

    """
    return "'" + text.replace("'", "''") + "'"


def set_version(run: Run, dialect: str, version: int) -> None:
    """Write down which version the tables now have."""
    if version_of(run, dialect) == 0:
        run(_VERSION)
        run(f"INSERT INTO ledger_schema VALUES (1, {version})")  # noqa: S608  # A number.
    else:
        run(f"UPDATE ledger_schema SET version = {version}")  # noqa: S608  # A number.


def _refuse_others(schema: Schema, version: int) -> None:
    if version == UNFINISHED:
        raise Unfinished(schema)
    if version > schema.version:
        raise Newer(schema, version)
