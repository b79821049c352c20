"""Periods that statements are asked for."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from sqlalchemy import ColumnElement, Table


class Period(NamedTuple):
    """From one business day to another, both included; from the first event, or to the last."""

    first: date | None = None
    last: date | None = None


ALWAYS = Period()


def within(table: Table, period: Period) -> list[ColumnElement[bool]]:
    """Return what holds of those rows of ``table`` whose day is in ``period``."""
    conditions = []
    if period.first is not None:
        conditions.append(table.c.on >= period.first)
    if period.last is not None:
        conditions.append(table.c.on <= period.last)
    return conditions
