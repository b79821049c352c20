"""The examination: every event is hashed again, and added up again, in one pass.

From the hashes the tree is built anew, and each of its tiles compared with the one that is kept. If
the new tree has the root that was signed, the events are what was signed; if not, the kept tiles,
which may still lead to that root, say which event is the first that was changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from msgspec import Struct, field

from ledger.kernel.errors import LedgerError
from ledger.kernel.names import Position
from ledger.store.recorder import Row
from ledger.transparency.checkpoint import Checkpoint, open_checkpoint
from ledger.transparency.note import parse_note, signed_by
from ledger.transparency.policy import Policy
from ledger.transparency.tiles import WIDTH
from projections.audit.evidence import Evidence
from projections.audit.findings import (
    CheckpointRefused,
    EventMissing,
    EventOutOfPlace,
    Finding,
    PinRefused,
)
from projections.audit.sums import Sums
from projections.audit.tree import Tree
from projections.kernel.follow import Progress, silent

BATCH = 16 * WIDTH
"""Events taken in at a time: whole tiles, so that each is made once; bounds memory."""

Named = tuple[str, bytes]
"""A checkpoint, and what to call it."""


class Examined(Struct):
    """The result of an examination.

    Attributes:
        checkpoint: What was signed; ``None`` if that cannot be believed.
        witnesses: Who cosigned it, of those that the auditor trusts.
        events: How many were hashed.
        tiles: How many were compared.
        earlier: How many earlier checkpoints it was held to.
        unknown: How many are by keys that the auditor does not trust, and say nothing.
        figures: How many were compared.
        findings: What does not hold; none if all does.

    """

    checkpoint: Checkpoint | None = None
    witnesses: list[str] = field(default_factory=list)
    events: int = 0
    tiles: int = 0
    earlier: int = 0
    unknown: int = 0
    figures: int = 0
    findings: list[Finding] = field(default_factory=list)


def examine(
    evidence: Evidence, trust: Policy, pinned: Iterable[Named] = (), progress: Progress = silent
) -> Examined:
    """Examine all of ``evidence``.

    Args:
        evidence: What is said to have happened.
        trust: Keys and witnesses that the auditor has from elsewhere.
        pinned: Checkpoints that the auditor has kept.
        progress: Told now and then how far it is.

    """
    examined = Examined()
    try:
        _open(evidence, trust, examined)
        tree = Tree(evidence, _signed(examined))
        _hold_to_events(evidence, tree, examined, progress)
        _hold_to_checkpoints(evidence, pinned, tree, trust, examined)
    except Finding as finding:
        examined.findings.append(finding)
    return examined


def _open(evidence: Evidence, trust: Policy, examined: Examined) -> None:
    signed = evidence.checkpoint()
    try:
        examined.checkpoint = trust.open(signed)
    except LedgerError as error:
        raise CheckpointRefused(error) from None
    cosigned = signed_by(parse_note(signed), trust.witnesses.values())
    examined.witnesses = sorted(witness.name for witness, _ in cosigned)


def _signed(examined: Examined) -> Checkpoint:
    assert examined.checkpoint is not None  # noqa: S101  # Opened just before.
    return examined.checkpoint


def _hold_to_events(evidence: Evidence, tree: Tree, examined: Examined, progress: Progress) -> None:
    """Hash what was signed; add up that, and what has been recorded since."""
    sums = Sums(evidence.claims())
    try:
        _walk(_in_order(evidence.rows()), tree, sums, progress)
        examined.findings += tree.judge()
    except Finding as finding:  # What was signed can still be held to what was before.
        changed = tree.first_changed()
        examined.findings += [changed, finding] if changed else [finding]
    examined.events, examined.tiles = tree.size, tree.tiles
    examined.figures = sums.compared
    examined.findings += sums.findings


def _walk(rows: Iterator[Row], tree: Tree, sums: Sums, progress: Progress) -> None:
    size = tree.checkpoint.size
    while tree.size < size:
        batch = list(islice(rows, min(BATCH, size - tree.size)))
        if not batch:
            raise EventMissing(tree.size + 1, size)
        tree.take_in(batch)
        sums.take_in(batch)
        progress(Position(tree.size), Position(size))
    while sums.due:
        batch = list(islice(rows, BATCH))
        if not batch:
            raise EventMissing(sums.position + 1, sums.due[0].position)
        sums.take_in(batch)


def _in_order(rows: Iterator[Row]) -> Iterator[Row]:
    for expected, row in enumerate(rows, 1):
        if row.position > expected:
            raise EventMissing(expected, row.position)
        if row.position < expected:
            raise EventOutOfPlace(row.position, expected)
        yield row


def _hold_to_checkpoints(
    evidence: Evidence, pinned: Iterable[Named], tree: Tree, trust: Policy, examined: Examined
) -> None:
    """Hold the tree to whatever was signed of it before."""
    for of, signed in evidence.earlier():
        try:
            if signed_by(parse_note(signed), trust.logs):
                _hold_to(tree, open_checkpoint(signed, trust.logs), of, examined)
            else:
                examined.unknown += 1
        except LedgerError as error:
            examined.findings.append(PinRefused(of, error))
    for of, signed in pinned:
        try:
            _hold_to(tree, open_checkpoint(signed, trust.logs), of, examined)
        except LedgerError as error:
            examined.findings.append(PinRefused(of, error))


def _hold_to(tree: Tree, old: Checkpoint, of: str, examined: Examined) -> None:
    examined.earlier += 1
    examined.findings += tree.hold_to(old, of)
