"""Everything that the charity can ask the ledger to do, one method a command.

A method loads what it needs, lets the aggregate decide, and returns the decision; ``Ledger.record``
has it stored and answers with a receipt.
"""

from __future__ import annotations

from ledger.commands.disbursements import DisbursementCommands
from ledger.commands.donations import DonationCommands
from ledger.commands.funds import FundCommands
from ledger.commands.policies import PolicyCommands
from ledger.commands.public_logs import PublicLogCommands
from ledger.commands.sales import SaleCommands
from ledger.commands.staff import StaffCommands

__all__ = ["Ledger"]


class Ledger(
    FundCommands,
    DonationCommands,
    SaleCommands,
    DisbursementCommands,
    PolicyCommands,
    PublicLogCommands,
    StaffCommands,
):
    """The write side, whole."""
