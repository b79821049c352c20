"""Sentences of the audit trail about the public log."""

from __future__ import annotations

from ledger.aggregates.public_logs import PublicLog
from projections.kernel.sentences import Sentences, private

SENTENCES = Sentences(
    {
        PublicLog.KeyAnnounced: private(
            "公开日志{log}此后并用新公钥签署：{key}",
            "The log {log} is from now on also signed with the key {key}",
        ),
    },
)
"""What its events say."""
