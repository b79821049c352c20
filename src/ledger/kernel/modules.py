"""A folder as a register: what stands in it is known, and nobody lists it."""

from __future__ import annotations

import pkgutil
from collections.abc import Collection, Iterator
from importlib import import_module
from types import ModuleType


def modules_beside(name: str, *, but: Collection[str] = ()) -> Iterator[ModuleType]:
    """Import the modules in the folder of the module called ``name``, in the order of their names.

    Args:
        name: Of the module that asks, which is not among them.
        but: Last parts of names of modules that are left alone.

    """
    folder, _, own = name.rpartition(".")
    for each in pkgutil.iter_modules(import_module(folder).__path__):
        if each.name != own and each.name not in but:
            yield import_module(f"{folder}.{each.name}")
