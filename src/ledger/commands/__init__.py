"""Everything that the charity can ask the ledger to do, a file of commands a noun.

``Ledger.record`` carries a command out: it is decided, stored and answered with a receipt. Whoever
imports the ledger knows every noun, and so can read every event.
"""

from __future__ import annotations

from ledger.commands.application import Ledger
from ledger.commands.every import COMMANDS

__all__ = ["COMMANDS", "Ledger"]
