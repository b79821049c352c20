"""leifeng demo"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table

from api.app import open_site
from api.cli.demo_data.story import HEAR, Story
from api.cli.serve import Host, Port, run
from api.cli.shared import balances_json, print_balances, print_whole, progress
from api.kernel.site import Site
from api.places import DEMO_MARK, Places
from ledger.kernel.errors import LedgerError
from ledger.kernel.money import yuan
from projections.views.fund_balances import FundBalance, fund_balance, fund_rows
from projections.views.journal import sources
from projections.views.sales import sale


class SomethingElseHere(LedgerError):
    """A demo never takes the place of anything but a demo."""

    def __init__(self, where: Path | Places) -> None:
        super().__init__(f"{where} holds something else; name another folder with --data")


def demo(
    data: Annotated[Path, typer.Option(help="The folder to make it in.")] = Path("demo-data"),
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Stop after printing.")] = False,  # noqa: FBT002  # A flag.
    as_json: Annotated[bool, typer.Option("--json", help="Print balances as JSON.")] = False,  # noqa: FBT002  # A flag.
    host: Host = "127.0.0.1",
    port: Port = 8000,
) -> None:
    """Make an illustrative ledger, play the TV-sale story into it, and serve it."""
    _make_room(data)
    with open_site(data) as site:
        if site.ledger.store.last_position():
            raise SomethingElseHere(Places.of(data))
        story = Story(site)
        with progress("playing the story") as report:
            story.play(report)  # type: ignore[arg-type]  # Chapters count like positions.
        balances = _balances(site)
        if as_json:
            typer.echo(msgspec.json.encode(_document(story, balances)))
        else:
            _tell(site, story, balances)
    if not no_serve:
        run(data, host, port)


def _make_room(data: Path) -> None:
    if (data / DEMO_MARK).exists():
        shutil.rmtree(data)
    if data.exists() and any(data.iterdir()):
        raise SomethingElseHere(data)
    data.mkdir(parents=True, exist_ok=True)
    (data / DEMO_MARK).write_text("演示数据 / ILLUSTRATIVE: not real records\n", encoding="utf-8")


def _balances(site: Site) -> list[FundBalance]:
    position = site.follower.catch_up()
    with site.views.connect() as connection:
        balances = (
            fund_balance(connection, row["fund"], position) for row in fund_rows(connection)
        )
        return [each for each in balances if each is not None]


def _document(story: Story, balances: list[FundBalance]) -> dict[str, object]:
    return {"balances": balances_json(balances), "tokens": story.tokens}


def _tell(site: Site, story: Story, balances: list[FundBalance]) -> None:
    with site.views.connect() as connection:
        sold = sale(connection, str(story.sale))
        came_from = sources(connection, HEAR)
    assert sold is not None  # noqa: S101  # It was played a moment ago.
    orders = story.feeds["orders"]
    hear = next(each for each in balances if each.fund == HEAR)
    typer.echo(
        "演示数据 / ILLUSTRATIVE: derived from a news article, not real records\n\n"
        f"The partner's feed of {orders.lines:,} lines gave {orders.accepted:,} orders;\n"
        f"{orders.duplicates} lines were repeats and {len(orders.rejected)} were refused by name.\n"
        f"Goods sold for {yuan(sold['gross'])} yuan, of which {yuan(sold['refunds'])} came back;\n"
        f"less fees of {yuan(sold['partner_fee'])} and {yuan(sold['channel_fee'])} "
        f"the partner remitted {yuan(sold['remitted'])}.\n"
        f"With promises kept, {yuan(hear.received)} was raised (20余万元) and {yuan(hear.paid)}\n"
        "paid for the hearing-test room, every payment signed for.\n"
        f"Details of people are sealed under the key in {site.identity.keys.path}.\n\n"
        f"Where the {yuan(hear.balance)} of {HEAR} come from:"
    )
    for kind, amount in came_from.items():
        typer.echo(f"  {yuan(amount):>14}  {kind}")
    print_balances(balances)
    tokens = Table("who can sign in", "token, shown this once", box=SIMPLE_HEAD)
    for name, token in story.tokens.items():
        tokens.add_row(name, token)
    print_whole(tokens)
