"""Identifiers, kept apart by type so that one kind never stands in for another."""

from __future__ import annotations

from functools import lru_cache
from typing import NewType
from uuid import NAMESPACE_URL, UUID, uuid5

FundCode = NewType("FundCode", str)
"""A fund's short public name, such as ``F-HEAR``."""

PersonId = NewType("PersonId", str)
"""Someone who can sign in. Opaque: the name behind it is not in the history."""

PartyId = NewType("PartyId", str)
"""Someone who is paid or who signs for it. Opaque, like ``PersonId``."""

DonorId = NewType("DonorId", UUID)
DonationId = NewType("DonationId", UUID)
SaleId = NewType("SaleId", UUID)
OrderId = NewType("OrderId", UUID)
DisbursementId = NewType("DisbursementId", UUID)

Position = NewType("Position", int)
"""Place of an event in the whole ledger, counting from 1 without gaps. Later is greater."""

STREAMS_MAX = 4_096
"""Orders whose ids are remembered: those of the lines at hand, which are asked for repeatedly."""

LEDGER = uuid5(NAMESPACE_URL, "urn:leifeng:ledger")
"""Root of the ids that follow from a name, so that a repeat meets the first and is seen."""


def fund_stream(code: FundCode) -> UUID:
    """Return the stream of the fund called ``code``: one code, one fund."""
    return uuid5(LEDGER, f"fund/{code}")


@lru_cache(STREAMS_MAX)
def order_stream(sale: SaleId, order_no: str) -> OrderId:
    """Return the stream of a partner's order: the same order again has the same id."""
    return OrderId(uuid5(sale, order_no))


def log_stream(name: str) -> UUID:
    """Return the stream of the public log called ``name``."""
    return uuid5(LEDGER, f"log/{name}")


def relations_stream(person: PersonId) -> UUID:
    """Return the stream of what ``person`` declared to be related to."""
    return uuid5(LEDGER, f"relations/{person}")


APPROVAL_POLICY = uuid5(LEDGER, "policy/approval")
"""The stream of the rules of approval."""


def pledge_stream(person: PersonId, ref: str) -> DonationId:
    """Return the stream of the pledge that ``person`` calls ``ref`` in a feed."""
    return DonationId(uuid5(LEDGER, f"pledge/{person}/{ref}"))
