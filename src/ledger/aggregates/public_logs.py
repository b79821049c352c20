"""The public log of the history: which keys its checkpoints are signed with.

What is in the log follows from the history itself. Only this does not: that somebody decided to
sign with another key, or to begin another log, so that whoever holds an old key learns of it here.
"""

from __future__ import annotations

from typing import Self

from ledger.kernel.aggregate import Act, Aggregate, Fact, event
from ledger.kernel.errors import Invalid
from ledger.kernel.names import log_stream
from ledger.transparency.encoding import Malformed
from ledger.transparency.note import Verifier


class PublicLog(Aggregate):
    """A log, and the keys that were announced for it."""

    TOPIC = "log"
    MOVES_MONEY = False

    class KeyAnnounced(Fact, frozen=True):
        """From now on checkpoints are signed with one more key.

        Attributes:
            log: The name of the log, which is that of its keys.
            key: The verifier key, as C2SP signed-note writes it.

        """

        TOPIC = "log.key-announced.1"
        log: str
        key: str

    @classmethod
    def begin(cls, name: str) -> Self:
        """Return the log called ``name``, of which nothing is recorded yet."""
        return cls(log_stream(name))

    def announce_key(self, act: Act, key: str) -> None:
        """Make a key known with which checkpoints will be signed as well."""
        try:
            name = Verifier.parse(key).name
        except Malformed as fault:
            raise Invalid("key", "is not a verifier key: {fault}", fault=str(fault)) from None
        self._record(self.KeyAnnounced, act, on=act.today, log=name, key=key)

    @property
    def public_name(self) -> str:
        """A log is called by its name."""
        return self.log

    @event(KeyAnnounced)
    def _key_announced(self, fact: KeyAnnounced) -> None:
        self.log = fact.log
