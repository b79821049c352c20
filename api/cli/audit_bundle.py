"""leifeng audit export and leifeng audit verify"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from api.cli.shared import NoLedgerHere, existing_ledger, in_lines, progress
from api.places import Places, key_file, policy_file
from ledger.kernel.errors import Invalid
from ledger.transparency.encoding import Malformed
from ledger.transparency.note import Verifier
from ledger.transparency.policy import Policy, parse_policy
from projections.audit.bundle import Bundle
from projections.audit.examine import Examined, examine
from projections.audit.export import Export, write
from projections.audit.live import Live
from projections.log.tables import open_log
from projections.views.opening import open_views

SHOWN_MAX = 20
"""Findings that are named. After so many, there is no saying what is right."""

Data = Annotated[
    Path | None, typer.Option("--data", help="A ledger here, instead of a bundle.", file_okay=False)
]
Folder = Annotated[
    Path | None, typer.Argument(help="A bundle, as leifeng audit export made it.", exists=True)
]
Keys = Annotated[
    list[str], typer.Option("--vkey", help="A key of the log that you have from elsewhere.")
]
Pinned = Annotated[
    list[Path], typer.Option(help="A checkpoint that you kept.", exists=True, dir_okay=False)
]
PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy", help="Keys and witnesses to believe, as C2SP tlog-policy.", exists=True
    ),
]

InLines = Annotated[
    bool, typer.Option("--progress", help="Print before it how far it is, an object a line.")
]


class NothingTrusted(typer.BadParameter):
    """Whoever verifies brings a key: what lies beside a history proves nothing about it."""


class OneOrTheOther(typer.BadParameter):
    """Either a bundle is verified, or a ledger."""


def export(
    data: Annotated[Path, typer.Option("--data", help="The ledger's folder.", file_okay=False)],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder to make.")],
) -> None:
    """Write all that an audit takes into a folder of plain files, without personal data."""
    with _live(data) as live, progress("exporting") as report:
        bundle = Export(live, _policy_here(data), report)
        write(bundle, output)
    checkpoint = bundle.checkpoint
    typer.echo(f"{output}: {checkpoint.size:,} events of {checkpoint.origin}")
    typer.echo("verify it with a key that you have from elsewhere: leifeng audit key prints ours")


def verify(
    folder: Folder = None,
    data: Data = None,
    vkey: Keys = [],  # noqa: B006  # typer reads it and nobody writes it.
    pinned: Pinned = [],  # noqa: B006  # Same.
    policy: PolicyFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,  # noqa: FBT002  # A flag.
    as_it_goes: InLines = False,  # noqa: FBT002  # A flag.
) -> None:
    """Hash every event again, add every figure up again, and hold both to what was signed."""
    if (folder is None) == (data is None):
        raise OneOrTheOther("name a folder that leifeng audit export made, or --data")
    kept = [(str(path), path.read_bytes()) for path in pinned]
    trust = _trusted(vkey, policy, data)
    with in_lines() if as_it_goes else progress("verifying") as report:
        if folder is not None:
            bundle = Bundle(folder)
            examined = examine(bundle, trust, kept, report)
            if examined.checkpoint is not None and not examined.findings:
                examined.findings += bundle.beside(examined.checkpoint)
        elif data is not None:
            with _live(data) as live:
                examined = examine(live, trust, kept, report)
    typer.echo(
        msgspec.json.encode(document(examined)) if as_json else "\n".join(describe(examined))
    )
    raise typer.Exit(1 if examined.findings else 0)


def document(examined: Examined) -> dict[str, Any]:
    """Return the result, ready for JSON."""
    checkpoint = examined.checkpoint
    return {
        "verified": not examined.findings,
        "origin": checkpoint and checkpoint.origin,
        "size": checkpoint and checkpoint.size,
        "root": checkpoint and checkpoint.root.hex(),
        "witnesses": examined.witnesses,
        "events": examined.events,
        "tiles": examined.tiles,
        "earlier": examined.earlier,
        "unknown": examined.unknown,
        "figures": examined.figures,
        "findings": [
            {"name": each.name, "rule": each.rule, "detail": str(each)}
            for each in examined.findings[:SHOWN_MAX]
        ],
        "findings_in_all": len(examined.findings),
    }


def describe(examined: Examined) -> Iterator[str]:
    """Describe the result in a few lines."""
    if examined.checkpoint is not None:
        checkpoint = examined.checkpoint
        yield f"signed     {checkpoint.origin}, {checkpoint.size:,} events, by a key that you trust"
        yield f"root       {checkpoint.root.hex()}"
        yield f"witnessed  by {', '.join(examined.witnesses) or 'none that you named'}"
        yield f"events     {examined.events:,} hashed again, {examined.tiles:,} tiles compared"
        unknown = (
            f"; {examined.unknown:,} are by keys that you did not name" if examined.unknown else ""
        )
        yield f"extends    {examined.earlier:,} earlier checkpoints{unknown}"
        yield f"figures    {examined.figures:,} added up again and compared"
    for each in examined.findings[:SHOWN_MAX]:
        yield f"{each.name}: {each}"
    if len(examined.findings) > SHOWN_MAX:
        yield f"and {len(examined.findings) - SHOWN_MAX:,} more"
    yield "NOT what was signed and shown" if examined.findings else "verified"


@contextmanager
def _live(data: Path) -> Iterator[Live]:
    places = Places.of(data)
    if isinstance(places.log, Path) and not places.log.is_file():
        raise NoLedgerHere(data)
    with existing_ledger(data) as ledger:
        log, views = open_log(places.log), open_views(places.views)
        try:
            yield Live(ledger.store, log, views)
        finally:
            views.dispose()
            log.dispose()


def _trusted(vkeys: list[str], policy: Path | None, data: Path | None) -> Policy:
    """Return whom to believe: those who were named, or on the charity's own machine its own key."""
    keys = tuple(verifier("--vkey", text) for text in vkeys)
    if policy is not None:
        read = parse_policy(policy.read_bytes())
        return Policy((*read.logs, *keys), read.witnesses, read.groups, read.quorum)
    if not keys and data is not None:
        return Policy(_policy_here(data).logs)
    if not keys:
        raise NothingTrusted("name a key with --vkey, or a policy with --policy")
    return Policy(keys)


def verifier(option: str, text: str) -> Verifier:
    """Read a verifier key that was given as an option."""
    try:
        return Verifier.parse(text.strip())
    except Malformed as fault:
        raise Invalid(option, "is not a verifier key: {fault}", fault=str(fault)) from None


def _policy_here(data: Path) -> Policy:
    """Return the log's own keys, and the witnesses that it asks."""
    ring = key_file(data).read()
    keys = tuple(each.verifier for each in ring.signing) if ring else ()
    try:
        policy = parse_policy(policy_file(data).read_bytes())
    except FileNotFoundError:
        return Policy(keys)
    return Policy(keys, policy.witnesses, policy.groups, policy.quorum)
