"""Sums over the events, compared with the published figures."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from ledger.kernel.names import Position
from ledger.store.form import StoredForm, Unreadable
from ledger.store.recorder import Row
from projections.audit.evidence import FIGURES, Claim
from projections.audit.findings import EventUnreadable, FigureDiffers, Finding
from projections.replay.fold import Books, take_in


class Sums:
    """Adds events up, and compares each claim when the events have come so far.

    Attributes:
        due: Claims that wait for their event.
        compared: Figures compared.
        findings: Those that differ.

    """

    def __init__(self, claims: Iterable[Claim]) -> None:
        self.due = deque(sorted(claims, key=lambda claim: claim.position))
        self.compared = 0
        self.findings: list[Finding] = []
        self._books = Books()
        self._form = StoredForm()
        self._broken = False
        self._compare_up_to(Position(0))

    @property
    def position(self) -> Position:
        """The last event that was added up."""
        return self._books.position

    def take_in(self, rows: Sequence[Row]) -> None:
        """Add up the next events; those after one that cannot be read come to nothing."""
        try:
            self._take_in(rows)
        except EventUnreadable as finding:
            self.findings.append(finding)
            self.due.clear()
            self._broken = True

    def _take_in(self, rows: Sequence[Row]) -> None:
        if self._broken:
            return
        while self.due and self.due[0].position <= rows[-1].position:
            self._add(rows, until=self.due[0].position)
            self._compare_up_to(self.position)
        self._add(rows, until=rows[-1].position)

    def _add(self, rows: Sequence[Row], *, until: Position) -> None:
        done = self.position
        new = (row for row in rows if done < row.position <= until)
        try:
            take_in(self._books, ((row.position, row.topic, row.state) for row in new), self._form)
        except (Unreadable, LookupError) as error:
            raise EventUnreadable(self.position + 1, error) from None

    def _compare_up_to(self, position: Position) -> None:
        while self.due and self.due[0].position <= position:
            self._compare(self.due.popleft())

    def _compare(self, claim: Claim) -> None:
        ought = FIGURES[claim.what](self._books)
        for name in sorted(claim.figures.keys() | ought.keys()):
            figure, adds_up_to = claim.figures.get(name, 0), ought.get(name, 0)
            self.compared += 1
            if figure != adds_up_to:
                what = " ".join((claim.what, *name))
                self.findings.append(FigureDiffers(what, figure=figure, adds_up_to=adds_up_to))
