"""Flows of money: from sources, through funds, to uses; as a picture and a table.

Of each fund, what flows in is what flows out and what is still there, to the fen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from msgspec import Struct

from api.kernel.texts import marked
from api.pages.kit.labels import KINDS
from ledger.kernel.money import yuan
from projections.views.purposes import TO_PERSONS

SHOWN_MAX = 8
"""Sources, funds or purposes that are shown by name; the rest are one, so that one can read it."""


class Side(StrEnum):
    """What a node of the picture is."""

    SOURCE = "source"
    FUND = "fund"
    USE = "use"


class Node(NamedTuple):
    """One box of the picture: which side it is on, and what it is called there."""

    side: Side
    name: str


class Flow(NamedTuple):
    """So much went from one box to another, in fen."""

    source: Node
    target: Node
    amount: int


OPENING, STILL_THERE, OTHERS = "opening", "still-there", "others"
GIFTS, SALES, TRANSFERS = "gifts", "sale.remitted", "fund.transferred"
PURPOSE = "purpose:"
"""Before the name of a use that is a purpose of payments, and not a kind of event."""


class Moved(Struct, frozen=True):
    """What moved in a period, in fen.

    Attributes:
        kinds: By fund and kind of event, what came and what went.
        purposes: By fund and purpose, what was paid, net of what came back.
        openings: By fund, what it had before.

    """

    kinds: Mapping[tuple[str, str], tuple[int, int]]
    purposes: Mapping[tuple[str, str], int]
    openings: Mapping[str, int]


def flows(moved: Moved) -> list[Flow]:
    """Return what went from where to where, the largest first."""
    amounts: defaultdict[tuple[Node, Node], int] = defaultdict(int)
    left: defaultdict[str, int] = defaultdict(int)
    for fund, other, amount in _moves(moved):
        left[fund] += amount
        _add(amounts, fund, other, amount)
    for fund, amount in left.items():
        _add(amounts, fund, STILL_THERE, -amount)
    named = [Flow(source, target, amount) for (source, target), amount in amounts.items()]
    return sorted(_few(named), key=lambda flow: -flow.amount)


def _moves(moved: Moved) -> Iterable[tuple[str, str, int]]:
    """Yield a fund, what is at the other end, and what the fund gained by it."""
    for fund, amount in moved.openings.items():
        yield fund, OPENING, amount
    gifts: defaultdict[str, int] = defaultdict(int)
    for (fund, kind), (came, went) in moved.kinds.items():
        if kind.startswith("donation."):
            gifts[fund] += came - went
        elif not kind.startswith("disbursement."):
            yield fund, kind, came
            yield fund, kind, -went
    for fund, amount in gifts.items():
        yield fund, GIFTS, amount
    for (fund, purpose), paid in moved.purposes.items():
        yield fund, PURPOSE + purpose, -paid


def _add(amounts: defaultdict[tuple[Node, Node], int], fund: str, other: str, gained: int) -> None:
    if gained > 0:
        amounts[Node(Side.SOURCE, other), Node(Side.FUND, fund)] += gained
    elif gained < 0:
        amounts[Node(Side.FUND, fund), Node(Side.USE, other)] -= gained


def _few(moves: list[Flow]) -> list[Flow]:
    """Put together what is small on each side."""
    sizes: defaultdict[Node, int] = defaultdict(int)
    for flow in moves:
        sizes[flow.source] += flow.amount
        sizes[flow.target] += flow.amount
    kept: set[Node] = set()
    for side in Side:
        nodes = sorted((node for node in sizes if node.side is side), key=lambda node: -sizes[node])
        kept.update(nodes if len(nodes) <= SHOWN_MAX else nodes[: SHOWN_MAX - 1])
    merged: defaultdict[tuple[Node, Node], int] = defaultdict(int)
    for source, target, amount in moves:
        ends = [each if each in kept else Node(each.side, OTHERS) for each in (source, target)]
        merged[ends[0], ends[1]] += amount
    return [Flow(source, target, amount) for (source, target), amount in merged.items()]


def rows(
    moves: Iterable[Flow], funds: Mapping[str, str], say: Callable[[str], str]
) -> list[dict[str, Any]]:
    """Return flows as the picture and its table have them, in the words of a language.

    Args:
        moves: The flows.
        funds: Each fund's name, by its code.
        say: Translates.

    """
    return [
        {
            "source": "/".join(flow.source),
            "from": _label(flow.source, funds, say),
            "target": "/".join(flow.target),
            "to": _label(flow.target, funds, say),
            "fen": flow.amount,
            "yuan": yuan(flow.amount),
        }
        for flow in moves
    ]


def _label(node: Node, funds: Mapping[str, str], say: Callable[[str], str]) -> str:
    if node.name == OTHERS:
        return say(marked("Others"))
    if node.side is Side.FUND:
        return funds.get(node.name, node.name)
    if node.name.startswith(PURPOSE):
        purpose = node.name.removeprefix(PURPOSE)
        return say(marked("Aid to persons")) if purpose == TO_PERSONS else purpose
    named = _NAMES.get((node.side, node.name)) or KINDS.get(node.name, node.name)
    return say(named)


_NAMES: Mapping[tuple[Side, str], str] = {
    (Side.SOURCE, OPENING): marked("There before"),
    (Side.USE, OPENING): marked("Lacking before"),
    (Side.SOURCE, STILL_THERE): marked("Lacking still"),
    (Side.USE, STILL_THERE): marked("Still in the fund"),
    (Side.SOURCE, GIFTS): marked("Gifts"),
    (Side.USE, GIFTS): marked("Returned to donors"),
    (Side.SOURCE, SALES): marked("Charity sales"),
    (Side.SOURCE, TRANSFERS): marked("From other funds"),
    (Side.USE, TRANSFERS): marked("To other funds"),
}
