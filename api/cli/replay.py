"""leifeng replay"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from api.cli.shared import DataFolder, balances_json, existing_ledger, print_balances, progress
from api.places import Places
from ledger.aggregates.policies import ApprovalRule
from ledger.kernel.errors import LedgerError
from ledger.kernel.money import yuan
from ledger.kernel.names import Position
from ledger.kernel.strict_json import fault_of
from projections.replay.other_rule import OtherRule, Stopped, held_to
from projections.replay.replay import SHOWN_MAX, Replayed
from projections.replay.replay import replay as replayed
from projections.views.every import all_views
from projections.views.opening import open_views

DIFFERENT, STOPPED = 1, 3
"""Exit codes: rows differ; or all are equal, but the other rule would have stopped a payment."""

Until = Annotated[int | None, typer.Option(min=0, help="Stop after the event at this position.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Policy = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="Say which payments another rule of approval would have stopped: a .toml or JSON"
        " file with one_approval_up_to and three_approvals_above, in fen. Changes nothing.",
    ),
]


class PolicyUnreadable(LedgerError):
    """A rule of approval has one_approval_up_to and three_approvals_above, and nothing else."""

    def __init__(self, path: Path, fault: Exception) -> None:
        super().__init__(f"{path} is no rule of approval: {fault}")


def replay(
    data: DataFolder,
    until: Until = None,
    policy: Policy = None,
    as_json: AsJson = False,  # noqa: FBT002  # A flag.
) -> None:
    """Recompute every balance from event 1 and compare it with what is served.

    Ends with 0 if all is equal, and with 1 if something differs. With --policy it ends with 3 if
    all is equal, but the other rule would have stopped a payment.
    """
    rule = None if policy is None else _rule(policy)
    goal = None if until is None else Position(until)
    with existing_ledger(data) as ledger:
        with progress("replaying") as report:
            views = open_views(Places.of(data).views)
            result = replayed(ledger, views, all_views(), until=goal, progress=report)
        with progress("holding to the rule") as report:
            other = None if rule is None else held_to(ledger, rule, until=goal, progress=report)
    if as_json:
        typer.echo(msgspec.json.encode(_document(result) | _judgement(other)))
    else:
        console = _print(result)
        _print_judgement(console, other)
    if result.different:
        raise typer.Exit(DIFFERENT)
    raise typer.Exit(STOPPED if other is not None and other.stopped else 0)


def _rule(path: Path) -> ApprovalRule:
    try:
        return read_rule(path.read_bytes(), in_toml=path.suffix == ".toml")
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise PolicyUnreadable(path, error) from None


def read_rule(text: bytes, *, in_toml: bool) -> ApprovalRule:
    """Read a rule; TOML refuses by itself what says a thing twice."""
    if not in_toml and (fault := fault_of(text)) is not None:
        raise ValueError(str(fault))
    decode = msgspec.toml.decode if in_toml else msgspec.json.decode
    rule = decode(text, type=ApprovalRule)
    rule.check()
    return rule


def _document(result: Replayed) -> dict[str, object]:
    return {
        "position": result.position,
        "equal": not result.different,
        "served": result.served,
        "tallies_compared": result.tallies_compared,
        "balances": balances_json(result.balances),
        "different": result.different,
        "differences": result.differences,
    }


def _judgement(other: OtherRule | None) -> dict[str, object]:
    if other is None:
        return {}
    return {"policy": other.rule, "payments": other.paid, "stopped": other.stopped}


def _print(result: Replayed) -> Console:
    console = print_balances(result.balances)
    behind = [name for name, reached in result.served.items() if reached < result.position]
    if behind:
        console.print(f"not read to the end, and compared where they are: {', '.join(behind)}")
    if not result.different:
        console.print(
            f"{result.position:,} events replayed; every row served is what they add up to"
        )
        return console
    console.print(f"{result.position:,} events replayed; {result.different:,} rows differ:")
    for each in result.differences[:SHOWN_MAX]:
        console.print(f"  {each}", soft_wrap=True, markup=False, highlight=False)
    if result.different > SHOWN_MAX:
        console.print(f"and {result.different - SHOWN_MAX:,} more")
    return console


def _print_judgement(console: Console, other: OtherRule | None) -> None:
    if other is None:
        return
    console.print(
        f"the other rule would have stopped {len(other.stopped):,} of {other.paid:,} payments"
    )
    for each in other.stopped[:SHOWN_MAX]:
        console.print(f"  {_told(each)}", soft_wrap=True, markup=False, highlight=False)


def _told(each: Stopped) -> str:
    return (
        f"event {each.position}, {each.paid_on}: {yuan(each.amount)} of {each.fund}, disbursement"
        f" {each.disbursement}, approved by {each.approvals} of {each.needed}"
    )
