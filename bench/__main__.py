"""``python -m bench [--quick | --full] [--json] [--against REV [--pairs N]] [NAME…]``

With ``--against`` it ends with 3, and a sentence, if the other revision is not to be had.
"""

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

from bench.against import COMPARISONS, Comparison, Ratio, compare
from bench.audit import audit
from bench.bulk import bulk
from bench.dated_bound import dated_bound
from bench.feed import feed
from bench.figures import FULL, QUICK, WHOLE, Figure, Size
from bench.log import log
from bench.pages import pages
from bench.pledges import pledges
from bench.reads import reads
from bench.replay import replay
from bench.scale import scale
from bench.sides import CannotHave, revision, this_tree
from bench.store import store

Bench = Callable[[Path, Size], Iterator[Figure]]

BENCHES: dict[str, Bench] = {
    "pledges": pledges,
    "feed": feed,
    "bulk": bulk,
    "replay": replay,
    "reads": reads,
    "store": store,
    "dated-bound": dated_bound,
    "log": log,
    "audit": audit,
    "scale": scale,
    "pages": pages,
}

PAIRS = 15
CANNOT_HAVE = 3
"""Exit code if the other revision is not to be had."""

FEW = 100
"""Figures below it are shown with a fraction."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what was asked for, and print it."""
    parser = ArgumentParser(prog="bench", description="Figures, each beside its limit.")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="small sizes: to see that it works")
    sizes.add_argument("--full", action="store_true", help="ten million events, for hours")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--against", metavar="REV", help="beside another revision, in pairs")
    parser.add_argument("--pairs", type=int, default=PAIRS, help=f"so many (default: {PAIRS})")
    parser.add_argument("name", nargs="*", help=f"of {', '.join(BENCHES)}; all if none is named")
    options = parser.parse_args(arguments)
    known = BENCHES if options.against is None else COMPARISONS
    for name in set(options.name) - known.keys():
        parser.error(f"nothing is called {name}; there are {', '.join(known)}")
    if options.pairs < 1:
        parser.error("--pairs must be at least 1")
    names = options.name or list(known)
    size = QUICK if options.quick else WHOLE if options.full else FULL
    if options.against is not None:
        _compare(names, options.against, pairs=options.pairs, size=size, in_json=options.json)
        return
    figures = list(measured(names, size))
    if options.json:
        _print_json(document(figures))
    else:
        chosen = ["--quick"] if options.quick else ["--full"] if options.full else []
        show(figures, " ".join(["python -m bench", *chosen, *names]))


def _compare(names: Sequence[str], name: str, *, pairs: int, size: Size, in_json: bool) -> None:
    with TemporaryDirectory(prefix="bench-") as folder:
        try:
            sys.stderr.write(f"making an environment for {name} …\n")
            theirs = revision(name, Path(folder))
            comparisons = list(
                compare(names, this_tree(), theirs, Path(folder), pairs=pairs, size=size)
            )
        except CannotHave as error:
            sys.stderr.write(f"bench: {error}\n")
            sys.exit(CANNOT_HAVE)
    if in_json:
        _print_json({each.name: each for each in comparisons})
    else:
        show_comparisons(comparisons, name)


def _print_json(value: object) -> None:
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(value)) + b"\n")


def measured(names: Iterable[str], size: Size) -> Iterator[Figure]:
    """Measure each of these in a fresh folder, and say which it is, as it takes minutes."""
    for name in names:
        sys.stderr.write(f"measuring {name} …\n")
        with TemporaryDirectory(prefix="bench-") as folder:
            yield from BENCHES[name](Path(folder), size)


def document(figures: Iterable[Figure]) -> dict[str, dict[str, object]]:
    """Return figures by name, with ratio and target such that more is better."""
    names = ("value", "unit", "limit", "ratio", "target")
    return {each.name: {name: getattr(each, name) for name in names} for each in figures}


def show(figures: Iterable[Figure], command: str) -> None:
    """Print figures as a table."""
    table = Table("work", "measured", "limit", "which is", "ratio", "target", box=SIMPLE_HEAD)
    table.caption = (
        f"Client and server share {os.cpu_count()} cores with all else: read the ratios."
    )
    for column in ("measured", "limit", "ratio", "target"):
        next(each for each in table.columns if each.header == column).justify = "right"
    for each in figures:
        table.add_row(
            each.work,
            f"{figure(each.value)} {each.unit}",
            f"{figure(each.limit)} {each.unit}",
            each.against,
            f"{each.ratio:.2f}",
            "" if each.target is None else f"{each.target:.2f}",
        )
    _print(table, f"$ {command}")


def show_comparisons(comparisons: Iterable[Comparison], name: str) -> None:
    """Print figures of this tree beside those of another revision."""
    table = Table("figure", "this tree", name, "ratio", "on a processor", "pairs", box=SIMPLE_HEAD)
    table.caption = "Median of the pairs' ratios, 1 is as fast, more is faster; with its interval."
    for each in comparisons:
        rates = [f"{figure(rate)} {each.unit}/s" for rate in (each.ours, each.theirs)]
        ratios = [in_interval(ratio) for ratio in (each.ratio, each.on_processor)]
        table.add_row(each.name, *rates, *ratios, str(each.pairs))
    _print(table, f"this tree against {name}")


def in_interval(ratio: Ratio) -> str:
    """Return a median with the interval that holds it.

    >>> in_interval(Ratio(0.987, 0.951, 1.021, 0.9648))
    '0.99 (0.95 to 1.02, 96 %)'

    """
    return f"{ratio.median:.2f} ({ratio.low:.2f} to {ratio.high:.2f}, {ratio.chance:.0%})".replace(
        "%", " %"
    )


def _print(table: Table, title: str) -> None:
    console = Console(highlight=False, width=Console(width=1_000).measure(table).maximum)
    console.print(title, soft_wrap=True)
    console.print(table)


def figure(value: float) -> str:
    """Return a figure with as many digits as are worth reading.

    >>> shown(12345.6), shown(2.345)
    ('12,346', '2.35')

    """
    return f"{value:,.0f}" if value >= FEW else f"{value:.3g}"


if __name__ == "__main__":
    main()
