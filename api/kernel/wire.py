"""Shapes shared by several routes."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

import msgspec
from fastapi.responses import Response
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
)

from ledger.kernel.errors import Invalid
from ledger.kernel.money import AMOUNT_MAX, Currency
from ledger.kernel.wording import TEXT_MAX, printable
from ledger.store.commits import Receipt


class Body(BaseModel):
    """A request body: closed, frozen, no surprises."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def arguments(self) -> dict[str, Any]:
        """Return what a command is given of it: each field, under its own name."""
        return dict(vars(self))


def example(**fields: Any) -> ConfigDict:
    """Return the part of a body's configuration that documents it by an example."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


AN_ID = "01a20737-75c3-7cc1-b1f2-e52f15c6c3a7"
"""What ids look like, in examples."""


Amount = Annotated[
    int,
    Field(strict=True, gt=0, le=AMOUNT_MAX, description="In fen, whole.", examples=[10000]),
]

CurrencyCode = Annotated[Currency, Field(description="ISO 4217.", examples=["CNY"])]


ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _iso(value: object) -> object:
    """Let nothing but an ISO date through: a number is not a day, nor is an instant."""
    if isinstance(value, date) or (isinstance(value, str) and ISO_DAY.fullmatch(value)):
        return value
    raise ValueError("must be a day such as 2026-03-20")


Day = Annotated[
    date,
    BeforeValidator(_iso),
    WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-03-20"]}),
]
"""A business day in Asia/Shanghai."""

Text = Annotated[str, Field(min_length=1, max_length=TEXT_MAX)]


def _printable(text: str) -> str:
    try:
        return printable(text, "name")
    except Invalid as error:
        raise ValueError(str(error.fault)) from None


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_printable)]
"""What somebody is called or reached by. It is kept apart from the history."""

Reference = Annotated[
    str, Field(pattern=r"^[!-~]{1,64}$", description="As the bank or platform writes it.")
]

Code = Annotated[
    str, Field(pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$", max_length=32, examples=["F-HEAR"])
]


class On(Body):
    """The business day."""

    model_config = example(on="2026-04-02")

    on: Day


class Reason(Body):
    """Why."""

    model_config = example(reason="登记有误")

    reason: Text


class ReasonOn(Body):
    """Why, and on which business day."""

    model_config = example(reason="银行退款核查中", on="2026-04-12")

    reason: Text
    on: Day


class Created(BaseModel):
    """What was begun, and where in the ledger that is written."""

    id: str = Field(examples=[AN_ID])
    position: int = Field(examples=[17], description="Pass to a read as at_least.")


class Done(BaseModel):
    """What was done to it, and where in the ledger that is written."""

    id: str = Field(examples=[AN_ID])
    version: int = Field(examples=[2])
    position: int = Field(examples=[18], description="Pass to a read as at_least.")


def _headers(receipt: Receipt) -> dict[str, str]:
    return {"Idempotency-Replayed": "true"} if receipt.repeated else {}


def created(receipt: Receipt, location: str) -> Response:
    """Answer that something new is recorded."""
    body = msgspec.json.encode({"id": receipt.id, "position": receipt.position})
    headers = _headers(receipt) | {"Location": f"{location}/{receipt.id}"}
    return Response(body, 201, headers, media_type="application/json")


def done(receipt: Receipt) -> Response:
    """Answer that a step is recorded."""
    body = {"id": receipt.id, "version": receipt.version, "position": receipt.position}
    return Response(
        msgspec.json.encode(body), 200, _headers(receipt), media_type="application/json"
    )


def json_response(thing: Any) -> Response:
    """Answer with JSON."""
    return Response(msgspec.json.encode(thing), media_type="application/json")
