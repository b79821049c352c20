"""Every router under /v1, and of health, in the order in which a request is tried on them."""

from __future__ import annotations

from functools import cache
from types import ModuleType

from fastapi import APIRouter

from api.kernel.forms import Forms
from ledger.kernel.modules import modules_beside

ORDER = (
    "donations",
    "funds",
    "donors",
    "sales",
    "disbursements",
    "history",
    "books",
    "log",
    "receipts",
    "verification",
    "policies",
    "relations",
    "refusals",
    "people",
    "people_tokens",
    "health",
)
"""What is asked for most stands first, and ``/people/relations`` before ``/people/{person_id}``.

Modules that are not named here follow in the order of their names.
"""

TYPESETTING = "receipt_pdf"
"""What sets receipts as PDF has no routes, and is imported with the first receipt."""


@cache
def modules() -> tuple[ModuleType, ...]:
    """Return the modules of this folder, in the order of their routes."""
    beside = modules_beside(__name__, but={TYPESETTING})
    return tuple(sorted(beside, key=lambda each: _place(each.__name__.rpartition(".")[2])))


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


def routes() -> tuple[APIRouter, ...]:
    """Return the routers."""
    declared = (getattr(module, "router", None) for module in modules())
    return tuple(each for each in declared if isinstance(each, APIRouter))


@cache
def forms() -> tuple[Forms, ...]:
    """Return what the nouns say of their forms."""
    declared = (getattr(module, "FORMS", None) for module in modules())
    return tuple(each for each in declared if isinstance(each, Forms))
