"""Findings of an audit. The docstring of each is the rule that does not hold."""

from __future__ import annotations

import re

from ledger.kernel.errors import LedgerError


class Finding(LedgerError):
    """What was signed, what is stored and what is served are one."""

    @property
    def name(self) -> str:
        """The name of the finding.

        >>> EventMissing(3, 17).name
        'event-missing'

        """
        return re.sub(r"(?<!^)(?=[A-Z])", "-", type(self).__name__).lower()

    @property
    def rule(self) -> str:
        """The rule that does not hold."""
        return (type(self).__doc__ or "").partition("\n")[0]


class CheckpointRefused(Finding):
    """The newest checkpoint is signed by a key that the auditor trusts, and seen by witnesses."""

    def __init__(self, cause: LedgerError) -> None:
        super().__init__(str(cause))


class EventDiffers(Finding):
    """Each event is, byte for byte, what was signed of it."""

    def __init__(self, position: int) -> None:
        super().__init__(f"event {position} is not the one whose leaf was signed")


class EventMissing(Finding):
    """Events are numbered from 1, one after the other, up to what was signed."""

    def __init__(self, position: int, size: int) -> None:
        super().__init__(f"event {position} of {size} is missing")


class EventOutOfPlace(Finding):
    """Each event stands once, in its own place."""

    def __init__(self, position: int, expected: int) -> None:
        super().__init__(f"event {position} stands where event {expected} belongs")


class EventUnreadable(Finding):
    """Each event is of a kind that this program knows, and well formed."""

    def __init__(self, position: int, fault: object) -> None:
        super().__init__(f"event {position} cannot be read: {fault}")


class TileDiffers(Finding):
    """Each tile is what the events under it hash to."""

    def __init__(self, path: str, *, missing: bool) -> None:
        super().__init__(f"{path} is missing" if missing else f"{path} was changed")


class EntriesDiffer(Finding):
    """Each bundle of entries is the leaves of its events."""

    def __init__(self, path: str, *, missing: bool) -> None:
        super().__init__(f"{path} is missing" if missing else f"{path} was changed")


class HistoryRewritten(Finding):
    """The tree that was signed is the tree of these events."""

    def __init__(self, size: int) -> None:
        super().__init__(
            f"these {size} events do not hash to the root that was signed, nor do the tiles;"
            " which of them is the first that was changed cannot be told without the old tiles"
        )


class HistoryForked(Finding):
    """A history only grows: whatever was signed before is the beginning of what is signed now."""

    def __init__(self, size: int, of: str) -> None:
        super().__init__(f"the first {size} events are not those of {of}")


class HistoryShortened(Finding):
    """A history only grows: whoever saw more of it has been shown what is gone."""

    def __init__(self, size: int, seen: int, of: str) -> None:
        super().__init__(f"there are {size} events, and {of} is of {seen}")


class PinRefused(Finding):
    """A checkpoint that the auditor kept is one of this log."""

    def __init__(self, of: str, cause: LedgerError) -> None:
        super().__init__(f"{of}: {cause}")


class FigureDiffers(Finding):
    """Each figure that is shown is what the events add up to, to the fen."""

    def __init__(self, what: str, *, figure: int | None, adds_up_to: int | None) -> None:
        super().__init__(
            f"{what}: {_figure(figure)} is shown, the events come to {_figure(adds_up_to)}"
        )


class BookDiffers(Finding):
    """Each book is what the accounting manual makes of the events."""

    def __init__(self, path: str, line: int) -> None:
        super().__init__(f"{path} is not what the events make, from line {line} on")


class FileDiffers(Finding):
    """Each file of a bundle is there, and well formed."""

    def __init__(self, path: str, fault: object) -> None:
        super().__init__(f"{path}: {fault}")


def _figure(fen: int | None) -> str:
    return "nothing" if fen is None else f"{fen} fen"
