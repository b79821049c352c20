"""Every command, by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledger.commands import (
    disbursements,
    donations,
    donors,
    funds,
    policies,
    public_logs,
    relations,
    sales,
    staff,
)
from ledger.commands.command import Command

COMMANDS: Mapping[str, Command[Any]] = {
    each.name: each
    for noun in (
        disbursements,
        donations,
        donors,
        funds,
        policies,
        public_logs,
        relations,
        sales,
        staff,
    )
    for each in vars(noun).values()
    if isinstance(each, Command)
}
"""What can be asked, by name; a name is given once, which a test holds."""
