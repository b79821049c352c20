"""A witness: remembers of each log the newest tree that it cosigned, and cosigns what extends it.

Whoever runs one for another charity makes it impossible to show two readers two histories: of two
trees that contradict each other, a witness cosigns at most one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import BigInteger, Column, Connection, LargeBinary, MetaData, String, Table, select

from ledger.store.engine import ALONE, engine_at, prepare
from ledger.store.schema import SQLITE, Migration, Schema
from ledger.transparency.checkpoint import Checkpoint, parse_checkpoint
from ledger.transparency.cosignature import Cosigner
from ledger.transparency.note import Signature, Verifier, parse_note
from ledger.transparency.witness import judge, log_of, parse_submission
from projections.kernel.view import put_all
from projections.log.keys import read_keys, write_keys

SEEN = Table(
    "seen",
    MetaData(),
    Column("origin", String, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("note", LargeBinary, nullable=False),
)
"""The newest checkpoint of each log that was cosigned."""

_SEEN_1 = Migration(
    "a table for the trees that were cosigned",
    {
        SQLITE: (
            """
            CREATE TABLE seen (
                origin TEXT PRIMARY KEY,
                size   INTEGER NOT NULL,
                note   BLOB NOT NULL
            ) STRICT
            """,
        )
    },
)

WITNESS = Schema("what was witnessed", (_SEEN_1,))


def cosigner_at(path: Path, name: str) -> Cosigner:
    """Return the key that is kept at ``path``, made and called ``name`` if there is none yet."""
    kept = read_keys(path, Cosigner)
    if kept:
        return kept[-1]
    cosigner = Cosigner.generate(name)
    write_keys(path, [cosigner])
    return cosigner


class Witness:
    """Cosigns the checkpoints of some logs, each tree once it extends the one before."""

    def __init__(
        self,
        where: Path,
        cosigner: Cosigner,
        logs: Sequence[Verifier],
        now: Callable[[], datetime],
    ) -> None:
        """Open a witness.

        Args:
            where: The file that remembers what was cosigned.
            cosigner: Its key.
            logs: Keys of the logs that it is for; one log may have several.
            now: Reads the clock.

        """
        self._cosigner = cosigner
        self._logs = tuple(logs)
        self._now = now
        self._engine = engine_at(where, schema="witness", durable=True)
        try:
            prepare(self._engine, WITNESS)
        except BaseException:
            self._engine.dispose()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def add_checkpoint(self, body: bytes) -> Signature:
        """Cosign what was submitted, once it is remembered.

        Raises:
            Malformed: It is no submission.
            UnknownLog: It is of a log that is not witnessed here.
            NotSigned: The log did not sign it.
            OldSizeDiffers: Its proof begins at another tree than was cosigned last.
            NotProven: Its proof does not show that the tree was only added to.

        """
        submission = parse_submission(body)
        new = log_of(submission, self._logs)
        # "Note that checking the old size against the latest checkpoint and persisting the new
        # checkpoint must be performed atomically".
        with self._engine.execution_options(**{ALONE: True}).begin() as connection:
            judge(submission, new, _seen(connection, new.origin))
            row = {"origin": new.origin, "size": new.size, "note": submission.checkpoint}
            put_all(connection, SEEN, [row])
        # "The witness MUST persist the new checkpoint before responding."
        return self._cosigner.cosign(new.text, int(self._now().timestamp()))


def _seen(connection: Connection, origin: str) -> Checkpoint | None:
    note = connection.execute(select(SEEN.c.note).where(SEEN.c.origin == origin)).scalar()
    return None if note is None else parse_checkpoint(parse_note(note).text)
