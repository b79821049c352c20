"""Feeds: one record a line, read, decided and stored in chunks.

A chunk is read, decided and appended in one transaction, and while it is being stored the next is
read and decided. Good lines stand, a bad line is named and changes nothing, a repeated line is
counted and skipped. Only these two chunks are in memory, whatever the length of the feed. What a
line says, and what it means, is each kind's own matter: ``orders`` and ``pledges``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Generic, NamedTuple
from uuid import UUID

import msgspec

from ledger.books.accounts import REGIME_START
from ledger.books.tallies import Expectation, changes, changes_by_day
from ledger.commands import Ledger
from ledger.commands.application import BeforeTheRegime
from ledger.feeds.chunk_store import ChunkStore, DryRun, InLedger
from ledger.kernel.aggregate import Act, Fact
from ledger.kernel.errors import Conflict, Invalid, LedgerError, NotFound, Refused
from ledger.kernel.lines import L, LineMalformed, LineRefused
from ledger.kernel.roles import Role, RoleForbidden
from ledger.kernel.sentences import Sentence
from ledger.store.commits import Commit, Outcome, Receipt

CHUNK_LINES = 1_000
"""Lines that are taken in together, in one transaction."""

NAMED_MAX = 10_000
"""Lines of one outcome that are named. After so many rejected, the file is wrong, not its lines."""

DETAIL_MAX = 200
"""Characters of what is said of a rejected line, which may repeat some of it."""

TRIES = 5


class Rejected(NamedTuple):
    """A line that was not taken in, and why.

    Attributes:
        line: Counting from 1.
        code: By what it is refused.
        detail: The sentence in English, short.
        sentence: The sentence, for other languages; nothing if it is none of ours, or long.

    """

    line: int
    code: str
    detail: str
    sentence: Sentence | None

    def as_row(self) -> dict[str, Any]:
        """Return the rejection as the answer names it."""
        return {"line": self.line, "code": self.code, "detail": self.detail}


class Taken(NamedTuple):
    """The result of a line: its stream and its facts; none if it is a repeat."""

    stream: UUID
    facts: Sequence[Fact] = ()


class Named(NamedTuple):
    """A line that stands, counting from 1, and the id of what it is about."""

    line: int
    id: UUID


@dataclass(slots=True)
class Chunk(Generic[L]):
    """The decisions on a chunk, before it is stored.

    Attributes:
        read: Its lines, counting from the feed's first as 1, and what each says.
        facts: What they come to.
        accepted: Lines that these facts record.
        repeated: Lines that were recorded before, and are the same.
        rejected: Lines that cannot be recorded.
        expects: What must hold when the facts are stored.

    """

    read: Sequence[tuple[int, L | LineRefused]]
    facts: list[Fact] = field(default_factory=list)
    accepted: list[Named] = field(default_factory=list)
    repeated: list[Named] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    expects: Sequence[Expectation] = ()


class Intake(ABC, Generic[L]):
    """Decides the lines of one chunk, each on what is recorded and what the ones before it left.

    The chunk before may be stored at any moment of this. So whatever can refuse a line is read
    before what is recorded: a line that was just recorded is then known as a repeat, or the store
    finds that it is one.
    """

    @abstractmethod
    def take(self, line: L) -> Taken:
        """Return the result of a line; raise the refusal if it breaks a rule."""

    def check_open(self) -> None:
        """Refuse the whole feed if nothing new may be recorded. Repeats alone are accepted."""

    @abstractmethod
    def expects(self) -> Sequence[Expectation]:
        """Return what must hold when the lines taken are stored; if not, all are decided anew."""


class _Storing(NamedTuple, Generic[L]):
    """A chunk that is being stored, and its outcome to come."""

    chunk: Chunk[L]
    stored: Future[Outcome]


class Feed(ABC, Generic[L]):
    """Takes in the lines of one feed.

    Attributes:
        ledger: Where it goes.
        store: What takes its lines: the ledger, unless it is only rehearsed.
        act: Who feeds it, and when.
        lines: Lines read so far; those not flushed are in none of the counts below.
        accepted: Lines that were recorded.
        duplicates: Lines that were recorded before, and are the same.
        refused: Lines that were not recorded.
        rejected: Which, and why; the first ``NAMED_MAX``.

    """

    by: ClassVar[tuple[Role, ...]]
    """Who may feed it."""

    codes: ClassVar[dict[str, str]] = {}
    """By what code a line is refused if this field of it is wrong; else as malformed."""

    def __init__(self, ledger: Ledger, act: Act, *, about: str) -> None:
        """Begin a feed, whose receipt will name what it is ``about``.

        Raises:
            RoleForbidden: This feed is not for the role of ``act``.

        """
        if act.role not in self.by:
            raise RoleForbidden(self.by)
        self.ledger = ledger
        self.act = msgspec.structs.replace(act, fingerprint=None)
        self.store: ChunkStore = InLedger(ledger)
        self._about = about
        self._storing: _Storing[L] | None = None
        self.lines = 0
        self.accepted = 0
        self.duplicates = 0
        self.refused = 0
        self.rejected: list[Rejected] = []

    def rehearse(self) -> DryRun:
        """Have all lines decided and none stored; return what takes them."""
        self.store = run = DryRun(self.ledger)
        return run

    def take_in(self, lines: Sequence[bytes]) -> None:
        """Record the next lines, at most ``CHUNK_LINES``, in one transaction.

        They are decided while the ones before are being stored. Whatever these leave that would
        have decided otherwise, a repeat or a rival, the store finds as it finds anybody's.
        """
        chunk = self._decide(list(self._read_all(lines)))
        self.lines += len(lines)
        commit = self._commit(chunk)
        self.flush()
        self._storing = _Storing(chunk, self.store.submit(commit))

    def flush(self) -> None:
        """Wait until all that was taken in is stored, and count it."""
        if self._storing is None:
            return
        (chunk, stored), self._storing = self._storing, None
        self._settle(chunk, stored)

    def _settle(self, chunk: Chunk[L], stored: Future[Outcome]) -> None:
        """Wait until a chunk is stored; decide it again if a rival or its own lines came first."""
        for tries_left in reversed(range(TRIES)):
            outcome = stored.result()
            if isinstance(outcome, Receipt):
                self._count(chunk)
                return
            assert isinstance(outcome, LedgerError)  # noqa: S101  # No answer is asked for.
            if isinstance(outcome, Refused) and not outcome.rival:
                self._settle_parts(chunk, outcome)
                return
            if not outcome.rival and not isinstance(outcome, LineRefused):
                raise outcome
            if tries_left:
                chunk = self._decide(chunk.read)
                stored = self.store.submit(self._commit(chunk))
        raise Conflict("others kept changing the subject of these lines; send them again")

    def _settle_parts(self, chunk: Chunk[L], refusal: Refused) -> None:
        """Find the lines that the store refuses, by halves; each is refused by name.

        Nobody but the store knows every bound. Halves are decided and stored in their order, so
        that each line stands or falls by what those before it left.
        """
        if len(chunk.read) == 1:
            ((number, _),) = chunk.read
            self.refused += 1
            name([self._reject(number, refusal)], among=self.rejected)
            return
        middle = len(chunk.read) // 2
        for read in (chunk.read[:middle], chunk.read[middle:]):
            part = self._decide(read)
            self._settle(part, self.store.submit(self._commit(part)))

    def finish(self, act: Act) -> Receipt:
        """Answer with what came of the feed, and remember the answer for a repeat."""
        self.flush()
        return self.ledger.remember(act, self.summary(), about=self._about)

    def summary(self) -> dict[str, Any]:
        """Return what came of the feed, as its sender is told."""
        return {
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": [each.as_row() for each in self.rejected],
        }

    def _decide(self, read: Sequence[tuple[int, L | LineRefused]]) -> Chunk[L]:
        """Decide lines on the state recorded now."""
        chunk = Chunk(read)
        intake = self._intake([line for _, line in read if not isinstance(line, LineRefused)])
        for number, line in read:
            try:
                if isinstance(line, LineRefused):
                    raise line
                stream, facts = intake.take(line)
            except (LineRefused, Invalid, NotFound, Refused) as refusal:
                if refusal.rival:
                    raise
                chunk.rejected.append(self._reject(number, refusal))
            else:
                chunk.facts += facts
                (chunk.accepted if facts else chunk.repeated).append(Named(number, stream))
        if chunk.facts:
            intake.check_open()
            chunk.expects = intake.expects()
        return chunk

    def _commit(self, chunk: Chunk[L]) -> Commit:
        return Commit(
            command=self.act.command,
            about=self._about,
            version=0,
            events=self.ledger.written(chunk.facts),
            changes=changes(chunk.facts),
            by_day=changes_by_day(chunk.facts),
            expects=chunk.expects,
        )

    def _read_all(self, lines: Sequence[bytes]) -> Iterator[tuple[int, L | LineRefused]]:
        for number, line in enumerate(lines, start=self.lines + 1):
            if not line.strip():
                continue
            try:
                yield number, self._read(line)
            except LineRefused as refusal:
                yield number, refusal

    def _count(self, chunk: Chunk[L]) -> None:
        self.accepted += len(chunk.accepted)
        self.duplicates += len(chunk.repeated)
        self.refused += len(chunk.rejected)
        name(chunk.rejected, among=self.rejected)

    def _reject(self, line: int, refusal: LedgerError) -> Rejected:
        text = str(refusal)
        detail = _shown(text)
        is_ours = detail == text and not (isinstance(refusal, LineMalformed) and refusal.quoted)
        sentence = Sentence(refusal.says, **refusal.facts) if is_ours else None
        return Rejected(line, self._code(refusal), detail, sentence)

    def _code(self, refusal: LedgerError) -> str:
        """Return the code that a line is refused by: a line code, or the problem's name."""
        match refusal:
            case LineRefused():
                return refusal.code
            case Invalid():
                return self.codes.get(refusal.field, LineMalformed.code)
            case _:
                return refusal.problem_name()

    @abstractmethod
    def _read(self, line: bytes) -> L:
        """Return the parsed line; raise ``LineRefused`` for its first fault."""

    @abstractmethod
    def _intake(self, lines: Sequence[L]) -> Intake[L]:
        """Look up the state that ``lines`` depend on, and return the intake that decides them."""


def name(lines: Sequence[Any], *, among: list[Any]) -> None:
    """Add ``lines`` to those that an answer names, while there is room."""
    among += lines[: NAMED_MAX - len(among)]


def check_day(on: date) -> None:
    """Refuse a line alone, before its entry spoils its chunk."""
    if on < REGIME_START:
        raise BeforeTheRegime(on)


def _shown(detail: str) -> str:
    """Return ``detail`` short, and without what would not show or would steer a terminal.

    >>> _shown("Object contains unknown field `" + chr(27) + "[2J`")
    'Object contains unknown field `\ufffd[2J`'

    """
    return "".join(each if each.isprintable() else "\ufffd" for each in detail[:DETAIL_MAX])
