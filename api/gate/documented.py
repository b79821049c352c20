"""The gate's refusals in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from api.gate.origin import READING
from api.gate.refusals import GATE_REFUSALS, CrossSite
from api.kernel.problems import MEDIA_TYPE, refusals
from ledger.kernel.errors import Invalid, Overloaded


def document_gate(method: str, responses: dict[str, Any]) -> None:
    """Add to an operation's documented answers what the gate before all of them refuses."""
    kinds = [kind for kind in GATE_REFUSALS if kind is not CrossSite or method not in READING]
    for status, added in refusals((Invalid, Overloaded, *kinds)).items():
        there = responses.setdefault(str(status), added)
        content = there.setdefault("content", {}).setdefault(MEDIA_TYPE, {})
        content["examples"] = added["content"][MEDIA_TYPE]["examples"] | content.get("examples", {})
