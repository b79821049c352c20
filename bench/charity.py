"""A charity that is made and used by the contract alone, so that any revision can serve it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from bench.books import DAYS, FIRST_DAY, HOT, ITEMS, order_lines
from bench.load import ask, drive, spell
from bench.servers import Served
from bench.sides import Side

CONNECTIONS = 64
ROLES = ("clerk", "treasurer")
LEVEL = spell("GET", f"/v1/funds/{HOT}/balance")
"""Waits until the views are level, between the turns and not in them."""

JSON, LINES = "application/json", "application/x-ndjson"


def token(side: Side, data: Path) -> str:
    """Return a token of somebody who may do all of this, in a ledger that is made if need be."""
    roles = [word for role in ROLES for word in ("--role", role)]
    return side.leifeng("token", "create", "--data", str(data), "--person", "bench", *roles)


class Charity:
    """One fund, one donor and one open sale, at a server that was just started."""

    def __init__(self, served: Served, bearer: str) -> None:
        self._port = served.port
        self._bearer = bearer
        fund = {"code": HOT, "name": "爱心测听室", "purpose": "测听室", "currency": "CNY"}
        self._did("/v1/funds", fund | {"restriction": "restricted"})
        self._donor = self._did("/v1/donors", {"name": "李女士", "anonymous": True})["id"]
        self._sale = self._did("/v1/sales", _sale())["id"]
        self._did(f"/v1/sales/{self._sale}/opening", {"on": FIRST_DAY}, status=200)

    def pledges(self, amount: int) -> list[bytes]:
        """Spell so many promises of a hundred yuan."""
        money = {"fund": HOT, "amount": 100_00, "currency": "CNY", "pledged_on": FIRST_DAY}
        body = msgspec.json.encode({"donor": self._donor} | money)
        return [spell("POST", "/v1/donations", body, self._headers(JSON)) for _ in range(amount)]

    def pledge(self, requests: list[bytes]) -> None:
        """Have the promises recorded, each acknowledged after it is on disk."""
        drive([self._port], requests, connections=CONNECTIONS, status=201)

    def orders(self, amount: int) -> bytes:
        """Spell one request with so many orders."""
        body = b"\n".join(order_lines(amount))
        return spell("POST", f"/v1/sales/{self._sale}/orders", body, self._headers(LINES))

    def feed(self, request: bytes) -> int:
        """Have the orders recorded; return how many were accepted."""
        answer = ask(self._port, request, status=200)
        return int(msgspec.json.decode(answer)["accepted"])

    def settle(self) -> None:
        """Wait until the views show what was recorded."""
        ask(self._port, LEVEL, status=200)

    def pledged(self) -> int:
        """Return what the fund was promised, in fen."""
        return int(msgspec.json.decode(ask(self._port, LEVEL, status=200))["pledged"])

    def _did(self, path: str, body: Mapping[str, Any], *, status: int = 201) -> Any:
        request = spell("POST", path, msgspec.json.encode(body), self._headers(JSON))
        return msgspec.json.decode(ask(self._port, request, status=status))

    def _headers(self, kind: str) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._bearer}",
            "Content-Type": kind,
            "Idempotency-Key": uuid4().hex,
        }


def _sale() -> dict[str, Any]:
    return {
        "name": "电视义卖",
        "fund": HOT,
        "partner": "嘉丽购",
        "starts_on": FIRST_DAY,
        "ends_on": FIRST_DAY.fromordinal(FIRST_DAY.toordinal() + DAYS),
        "return_days": 7,
        "partner_fee_bp": 150,
        "channel_fee_bp": 60,
        "items": ITEMS,
    }
