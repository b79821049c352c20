"""Faults of a field, as translated sentences, from those that the body's model finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from ledger.kernel.money import AMOUNT_MAX
from ledger.kernel.sentences import Sentence

Bounds = Mapping[str, Any]


def read_body(model: type[BaseModel], data: bytes) -> tuple[BaseModel | None, dict[str, Sentence]]:
    """Read a body as the API does; return it, or what is wrong with each field."""
    try:
        return model.model_validate_json(data), {}
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        return None, {".".join(map(str, each["loc"])): _fault(each) for each in faults}


def _fault(each: Mapping[str, Any]) -> Sentence:
    bounds = each.get("ctx", {})
    return _SENTENCES.get(each["type"], _otherwise)(bounds)


def _otherwise(bounds: Bounds) -> Sentence:
    error = bounds.get("error")
    if isinstance(error, ValueError) and str(error) == "must be a day such as 2026-03-20":
        return Sentence("must be a day such as 2026-03-20")
    return Sentence("cannot be used as it is written")


def _pattern(bounds: Bounds) -> Sentence:
    if "A-Z" in bounds["pattern"]:
        return Sentence("must be capital letters and digits with hyphens, such as F-HEAR")
    return Sentence("must be {least} to {most} visible ASCII characters", least=1, most=64)


def _at_most(bounds: Bounds) -> Sentence:
    if bounds["le"] == AMOUNT_MAX:
        return Sentence("is more than any community charity moves at once")
    return Sentence("must be at most {most}", most=bounds["le"])


_SENTENCES: Mapping[str, Callable[[Bounds], Sentence]] = {
    "missing": lambda _: Sentence("fill this in"),
    "string_too_short": lambda of: Sentence(
        "must be at least {least} characters", least=of["min_length"]
    ),
    "string_too_long": lambda of: Sentence(
        "must be at most {most} characters", most=of["max_length"]
    ),
    "string_pattern_mismatch": _pattern,
    "greater_than": lambda _: Sentence("must be above zero"),
    "greater_than_equal": lambda of: Sentence("must be at least {least}", least=of["ge"]),
    "less_than_equal": _at_most,
    "too_short": lambda of: Sentence("must be at least {least} of them", least=of["min_length"]),
    "too_long": lambda of: Sentence("must be at most {most} of them", most=of["max_length"]),
    "literal_error": lambda _: Sentence("choose one"),
    "enum": lambda _: Sentence("choose one"),
    "uuid_parsing": lambda _: Sentence("choose one"),
}
"""What is said of each kind of fault that a field of ours can have."""
