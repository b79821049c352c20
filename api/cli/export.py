"""leifeng export"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer

from api.cli.shared import DataFolder, existing_ledger, progress
from ledger.kernel.aggregate import Fact
from ledger.kernel.names import Position
from projections.exports.plain_text import EXPORTS
from projections.kernel.history import PAGE, rest

Format = StrEnum("Format", {name: name for name in EXPORTS})  # type: ignore[misc]  # The table says.


def export(
    form: Annotated[Format, typer.Argument(metavar="|".join(EXPORTS))],
    data: DataFolder,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The file to write; else standard output.")
    ] = None,
) -> None:
    """Write the books in a format that other people's tools read."""
    with (
        existing_ledger(data) as ledger,
        _opened(output) as file,
        progress("exporting") as report,
    ):
        goal = ledger.store.last_position()

        def history() -> Iterator[tuple[Position, Fact]]:
            for position, fact in rest(ledger, until=goal):
                if position % PAGE == 0:
                    report(position, goal)
                yield position, fact

        file.writelines(EXPORTS[form](history()))


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    with output.open("w", encoding="utf-8") as file:
        yield file
