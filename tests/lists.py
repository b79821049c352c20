"""Every list that pages declare, and where it is."""

import importlib
import pkgutil

import api.pages
from api.pages.kit.lists import ListPage

PATHS = {
    "aid": "/desk/aid",
    "balances-then-and-now": "/audit/time",
    "events": "/funds/{code}/lines",
    "funds": "/funds",
    "funds-and-steps": "/desk/funds",
    "goods": "/sales/{sale_id}",
    "history": "/audit/history",
    "journal": "/desk/journal",
    "my-pledges": "/mine",
    "my-statement": "/mine/data",
    "overdue-pledges": "/desk/pledges",
    "people": "/desk/people",
    "relations": "/desk/relations",
    "sales": "/sales",
    "sales-to-settle": "/desk",
    "settlement": "/desk/sales/{sale_id}",
    "statement-{code}": "/funds/{code}",
    "to-confirm": "/desk/bank",
    "trial-balance": "/desk/trial-balance",
}
"""The path of the route of each list, by the name of its files."""


def _declared() -> dict[str, ListPage[object]]:
    """Return the lists that modules of pages declare, by the name of their files."""
    lists = {}
    for found in pkgutil.walk_packages(api.pages.__path__, "api.pages."):
        for thing in vars(importlib.import_module(found.name)).values():
            if isinstance(thing, ListPage):
                lists[thing.name] = thing
    return lists


LISTS = _declared()
