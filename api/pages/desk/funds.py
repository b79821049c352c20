"""/desk/funds: every fund, and what can be done with it now or why not."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response
from msgspec import Struct

from api.kernel.doors import may
from api.pages.kit.drawn.steps import DrawnStep, drawn_steps
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.own_pages import own_page
from api.pages.kit.readiness import require_views_ready
from ledger.kernel.roles import Role
from projections.views.fund_balances import FundBalances, FundSummary, fund_summaries

router = APIRouter(prefix="/desk/funds", route_class=Entrance, include_in_schema=False)


class FundAtTheDesk(Struct, frozen=True):
    """A fund with what the reader may do with it."""

    fund: FundSummary
    steps: list[DrawnStep]


@router.get("")
@may(Role.TREASURER)
def list_funds(desk: PageDesk) -> Response:
    """List the funds, of which a charity has some dozens."""
    require_views_ready(desk.site)
    with desk.read(FundBalances) as reading:
        summaries = fund_summaries(reading.connection)
    funds = [
        FundAtTheDesk(each, list(drawn_steps(desk, "funds", each.fund, each.state)))
        for each in summaries
    ]
    return own_page(desk, "desk_funds.html", funds=funds)
