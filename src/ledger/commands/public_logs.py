"""What the charity can do with its public log."""

from __future__ import annotations

from ledger.aggregates.public_logs import PublicLog
from ledger.commands.application import Decision, Records
from ledger.kernel.aggregate import Act
from ledger.kernel.names import log_stream


class PublicLogCommands(Records):
    """Announce a key."""

    def announce_key(self, act: Act, *, name: str, key: str) -> Decision:
        """Make a key of the log called ``name`` known."""
        log = self.find(PublicLog, log_stream(name)) or PublicLog.begin(name)
        log.announce_key(act, key)
        return Decision(log, name=name)
