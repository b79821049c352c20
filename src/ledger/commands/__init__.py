"""Everything that the charity can ask the ledger to do, a file of commands a noun.

``Ledger.record`` carries a command out: it is decided, stored and answered with a receipt.
"""

from __future__ import annotations

from ledger.commands.application import Ledger

__all__ = ["Ledger"]
