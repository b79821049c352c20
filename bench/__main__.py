"""``python -m bench [--quick | --full] [--json] [NAME…]``"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bench.audit import audit
from bench.bulk import bulk
from bench.feed import feed
from bench.figures import FULL, QUICK, WHOLE, Figure, Size
from bench.log import log
from bench.pages import pages
from bench.pledges import pledges
from bench.reads import reads
from bench.replay import replay
from bench.scale import scale
from bench.store import store

Bench = Callable[[Path, Size], Iterator[Figure]]

BENCHES: dict[str, Bench] = {
    "pledges": pledges,
    "feed": feed,
    "bulk": bulk,
    "replay": replay,
    "reads": reads,
    "store": store,
    "log": log,
    "audit": audit,
    "scale": scale,
    "pages": pages,
}

FEW = 100
"""Figures below it are shown with a fraction."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what was asked for, and print it."""
    parser = ArgumentParser(prog="bench", description="Figures, each beside its limit.")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="small sizes: to see that it works")
    sizes.add_argument("--full", action="store_true", help="ten million events, for hours")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("name", nargs="*", help=f"of {', '.join(BENCHES)}; all if none is named")
    asked = parser.parse_args(arguments)
    for name in set(asked.name) - BENCHES.keys():
        parser.error(f"nothing is called {name}; there are {', '.join(BENCHES)}")
    names = asked.name or list(BENCHES)
    size = QUICK if asked.quick else WHOLE if asked.full else FULL
    found = list(measured(names, size))
    if asked.json:
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(document(found))) + b"\n")
    else:
        chosen = ["--quick"] if asked.quick else ["--full"] if asked.full else []
        show(found, " ".join(["python -m bench", *chosen, *names]))


def measured(names: Iterable[str], size: Size) -> Iterator[Figure]:
    """Measure each of these in a fresh folder, and say which it is, as it takes minutes."""
    for name in names:
        sys.stderr.write(f"measuring {name} …\n")
        with TemporaryDirectory(prefix="bench-") as folder:
            yield from BENCHES[name](Path(folder), size)


def document(found: Iterable[Figure]) -> dict[str, dict[str, object]]:
    """Return figures by name, with ratio and target such that more is better."""
    shown = ("value", "unit", "limit", "ratio", "target")
    return {each.name: {name: getattr(each, name) for name in shown} for each in found}


def show(found: Iterable[Figure], command: str) -> None:
    """Print figures as a table."""
    table = Table("work", "measured", "limit", "which is", "ratio", "target", box=SIMPLE_HEAD)
    table.caption = (
        f"Client and server share {os.cpu_count()} cores with all else: read the ratios."
    )
    for column in ("measured", "limit", "ratio", "target"):
        next(each for each in table.columns if each.header == column).justify = "right"
    for each in found:
        table.add_row(
            each.work,
            f"{shown(each.value)} {each.unit}",
            f"{shown(each.limit)} {each.unit}",
            each.against,
            f"{each.ratio:.2f}",
            "" if each.target is None else f"{each.target:.2f}",
        )
    console = Console(highlight=False, width=Console(width=1_000).measure(table).maximum)
    console.print(f"$ {command}", soft_wrap=True)
    console.print(table)


def shown(value: float) -> str:
    """Return a figure with as many digits as are worth reading.

    >>> shown(12345.6), shown(2.345)
    ('12,346', '2.35')

    """
    return f"{value:,.0f}" if value >= FEW else f"{value:.3g}"


if __name__ == "__main__":
    main()
