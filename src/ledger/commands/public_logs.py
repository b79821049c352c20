"""Commands about the charity's public log."""

from __future__ import annotations

from ledger.aggregates.public_logs import PublicLog
from ledger.commands.command import Decision, command
from ledger.commands.records import Records
from ledger.kernel.aggregate import Act
from ledger.kernel.names import log_stream
from ledger.kernel.roles import Role


@command(by=(Role.ADMIN,))
def announce_key(records: Records, act: Act, *, name: str, key: str) -> Decision:
    """Make a key of the log called ``name`` known."""
    log = records.find(PublicLog, log_stream(name)) or PublicLog.begin(name)
    log.announce_key(act, key)
    return Decision(log)
