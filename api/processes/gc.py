"""Settings of the garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def resting() -> Iterator[None]:
    """Let the garbage collector rest while modules are read.

    All of them stay, and looking at them over and over takes a third of the start of a command.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def spared() -> Iterator[None]:
    """Spare the garbage collector what is here already and stays.

    It would look at all of it, a hundred thousand objects, again and again: a quarter of the
    processor time of a pledge.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
