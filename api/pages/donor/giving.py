"""/give: a pledge in three steps, and nothing of it kept until the end.

What the steps say stands in their address; a name and a telephone number never do. Whoever is not
registered as a donor yet is in the second step, which is kept at once, apart from the history.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from msgspec import Struct

from api.kernel.desk import today
from api.kernel.doors import may
from api.pages.kit.entrance import Entrance, PageDesk
from api.pages.kit.forms import fen, on_day, text, ticked
from api.pages.kit.own_pages import own_page, then, why_not_as
from api.pages.kit.readiness import require_views_ready
from api.pages.kit.rendering import query_of
from ledger.aggregates.donations.facts import Instalment
from ledger.commands.donations import pledge
from ledger.commands.donors import register_donor
from ledger.kernel.errors import Invalid, LedgerError, NotFound
from ledger.kernel.ids import new_id
from ledger.kernel.money import CNY, Fen, yuan
from ledger.kernel.names import DonorId, FundCode, PartyId
from ledger.kernel.roles import Role
from projections.views.donations import Donations
from projections.views.donors import donor_row
from projections.views.fund_balances import FundBalances, FundSummary, fund_row, fund_summaries

router = APIRouter(route_class=Entrance, include_in_schema=False)

PARTS_MAX = 12
"""Monthly instalments that a page offers; the ledger takes more."""

PARTS = frozenset(map(str, range(1, PARTS_MAX + 1)))
"""How their number is written."""

FIRST_WITHIN_YEARS = 100
"""Years in which the first is due."""

MONTH_DAYS = 28
"""A day that every month has: an instalment due later in the month is due on this one."""

DETAILS_MAX = {"name": 200, "phone": 40, "email": 254}
"""Characters of what a donor says of themselves."""


class Answers(Struct, frozen=True):
    """The answers given so far.

    Attributes:
        fund: To which fund.
        amount: So much, in fen.
        parts: In so many monthly instalments; one is at once.
        first: When the first is due.
        public: Said in public, and so binding (慈善法 art. 41).

    """

    fund: str
    amount: int
    parts: int
    first: date
    public: bool

    @property
    def instalments(self) -> list[Instalment]:
        """The instalments, equal but for the last fen, of which the first has more."""
        if self.parts == 1:
            return []
        each, rest = divmod(self.amount, self.parts)
        return [
            Instalment(_months_after(self.first, number), Fen(each + (rest if not number else 0)))
            for number in range(self.parts)
        ]

    def fields(self) -> dict[str, str]:
        """Return them as fields of a form."""
        fields = {
            "fund": self.fund,
            "amount": yuan(self.amount).replace(",", ""),
            "parts": str(self.parts),
            "first": self.first.isoformat(),
        }
        return fields | ({"public": "yes"} if self.public else {})


def _months_after(first: date, months: int) -> date:
    year, month = divmod(first.month - 1 + months, 12)
    day = first.day if not months else min(first.day, MONTH_DAYS)
    return date(first.year + year, month + 1, day)


def answers(fields: Mapping[str, str]) -> Answers:
    """Read the answers from the address.

    Raises:
        Invalid: An answer is missing or cannot be.

    """
    parts = fields.get("parts", "1")
    if parts not in PARTS:
        raise Invalid("parts", "must be from {least} to {most}", least=1, most=PARTS_MAX)
    gift = Answers(
        fund=text(fields, "fund"),
        amount=fen(fields),
        parts=int(parts),
        first=on_day(fields, "first") if int(parts) > 1 else today(),
        public=ticked(fields, "public"),
    )
    if gift.first < today():
        raise Invalid("first", "{on} is in the past", on=gift.first)
    if gift.first.year > today().year + FIRST_WITHIN_YEARS:
        raise Invalid("first", "is more than {years} years away", years=FIRST_WITHIN_YEARS)
    if gift.amount < gift.parts:
        raise Invalid("amount", "is too small for so many instalments")
    return gift


@router.get("/give")
@may(Role.DONOR)
def first_step(desk: PageDesk) -> Response:
    """Ask to which fund, and how much."""
    return _first(desk, desk.query_params)


def _first(
    desk: PageDesk, fields: Mapping[str, str], refusal: LedgerError | None = None
) -> Response:
    require_views_ready(desk.site)
    return own_page(
        desk,
        "give.html",
        funds=_open_funds(desk),
        values=fields,
        parts_max=PARTS_MAX,
        today=today(),
        refusal=refusal,
    )


def _open_funds(desk: PageDesk) -> list[FundSummary]:
    with desk.read(FundBalances) as reading:
        return [each for each in fund_summaries(reading.connection) if each.state == "open"]


@router.get("/give/who")
@may(Role.DONOR)
def second_step(desk: PageDesk) -> Response:
    """Ask who gives, if that is not known, and how publicly."""
    try:
        given = answers(desk.query_params)
    except Invalid as refusal:
        return _first(desk, desk.query_params, refusal)
    return _second(desk, given)


def _second(desk: PageDesk, given: Answers, refusal: LedgerError | None = None) -> Response:
    return own_page(
        desk,
        "give_who.html",
        given=given,
        back=query_of(given.fields()),
        fund=_fund(desk, given),
        known=_known(desk),
        details_max=DETAILS_MAX,
        refusal=refusal,
    )


def _fund(desk: PageDesk, given: Answers) -> dict[str, Any]:
    with desk.read(FundBalances) as reading:
        fund = fund_row(reading.connection, given.fund)
    if fund is None:
        raise NotFound("fund", by="code")
    return fund


def _known(desk: PageDesk) -> dict[str, Any] | None:
    """Return what is known of the donor who gives, if they are one already."""
    if desk.caller.donor is None:
        return None
    with desk.read(Donations) as reading:
        row = donor_row(reading.connection, str(desk.caller.donor))
    details = desk.site.identity.vault.details(PartyId(str(desk.caller.donor))) or {}
    return None if row is None else row | details


@router.post("/give/who")
@may(Role.DONOR)
async def register(desk: PageDesk) -> Response:
    """Keep who gives, apart from the history, and go on to the last step."""
    given = answers(desk.fields)
    try:
        await _register(desk)
    except Invalid as refusal:
        return await run_in_threadpool(_second, desk, given, refusal)
    return then(f"/give/check{query_of(given.fields())}")


async def _register(desk: PageDesk) -> None:
    if desk.caller.donor is not None:
        return
    details = {"name": text(desk.fields, "name")}
    for name in ("phone", "email"):
        if desk.fields.get(name, "").strip():
            details[name] = text(desk.fields, name)
    for name, value in details.items():
        if len(value) > DETAILS_MAX[name]:
            raise Invalid(name, "must be at most {most} characters", most=DETAILS_MAX[name])
    donor = DonorId(new_id())
    receipt = await desk.record_about(
        PartyId(str(donor)),
        details,
        register_donor,
        donor,
        anonymous=not ticked(desk.fields, "named"),
    )
    known, now = DonorId(UUID(receipt.id)), datetime.now(UTC)
    await run_in_threadpool(desk.site.identity.is_donor, desk.caller.person, known, at=now)


@router.get("/give/check")
@may(Role.DONOR)
def last_step(desk: PageDesk) -> Response:
    """Show the answers, what the law says of such a promise, and the button that makes it."""
    try:
        given = answers(desk.query_params)
    except Invalid as refusal:
        return _first(desk, desk.query_params, refusal)
    return _check(desk, given)


def _check(desk: PageDesk, given: Answers, refusal: LedgerError | None = None) -> Response:
    if desk.caller.donor is None:
        return _second(desk, given)
    return own_page(
        desk,
        "give_check.html",
        given=given,
        back=query_of(given.fields()),
        fund=_fund(desk, given),
        known=_known(desk),
        refusal=refusal or why_not_as(desk, (Role.DONOR,), pledge, **_pledge(desk, given)),
    )


def _pledge(desk: PageDesk, given: Answers) -> dict[str, Any]:
    return {
        "donor": desk.caller.donor,
        "fund": FundCode(given.fund),
        "amount": given.amount,
        "currency": CNY,
        "pledged_on": today(),
        "instalments": given.instalments,
        "public_promise": given.public,
    }


@router.post("/give")
@may(Role.DONOR)
async def give(desk: PageDesk) -> Response:
    """Record the pledge, and show the confirmation once it is stored for good."""
    given = answers(desk.fields)
    if desk.caller.donor is None:
        raise NotFound("donor", says="say first who gives, in the second step")
    try:
        receipt = await desk.record(pledge, **_pledge(desk, given))
    except LedgerError as refusal:
        return await run_in_threadpool(_check, desk, given, refusal)
    return then(f"/mine/{receipt.id}?done={receipt.position}")
