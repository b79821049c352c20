"""Every rule that the program refuses by, wherever its class is defined."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import api
import ledger
import projections
from ledger.kernel.errors import LedgerError

OURS = (ledger, projections, api)


def every_rule() -> Iterator[type[LedgerError]]:
    """Return every kind of error of ours; those that only tests define are not among them."""
    for package in OURS:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    ours = {package.__name__ for package in OURS}
    for kind in below(LedgerError):
        if kind.__module__.partition(".")[0] in ours:
            yield kind


def below(kind: type[Any]) -> Iterator[type[Any]]:
    """Return a class, and every class that is made of it."""
    yield kind
    for each in kind.__subclasses__():
        yield from below(each)
