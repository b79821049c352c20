"""Intake of commands: path and body of a request, read once into their types.

FastAPI documents these routes and matches their paths; reading the body by its general way, though,
costs more than all that the ledger does with it (see bench/).
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, get_type_hints

from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, TypeAdapter, ValidationError

from ledger.kernel.errors import Invalid
from ledger.kernel.strict_json import fault_of

Endpoint = Callable[..., Coroutine[Any, Any, Response]]


class Intake:
    """Reads the arguments of one route."""

    def __init__(self, endpoint: Endpoint) -> None:
        kinds = get_type_hints(inspect.unwrap(endpoint), include_extras=True)
        kinds.pop("return", None)
        kinds.pop("desk")
        self._body: type[BaseModel] = kinds.pop("body")
        self._path = {name: TypeAdapter(kind) for name, kind in kinds.items()}

    def read(self, path: Mapping[str, str], body: bytes) -> dict[str, Any]:
        """Return the arguments by their names.

        Raises:
            Invalid: The body could be read in two ways.
            RequestValidationError: Names each field that cannot be read.

        """
        if (fault := fault_of(body, numbers=False)) is not None:
            raise Invalid("body", fault)
        read: dict[str, Any] = {}
        for name, kind in self._path.items():
            read[name] = _read("path", kind.validate_strings, path[name], name)
        read["body"] = _read("body", self._read_body, body)
        return read

    def _read_body(self, body: bytes) -> BaseModel:
        try:
            return self._body.model_validate_json(body)
        except ValidationError as error:
            if error.errors(include_input=False)[0]["type"] != "json_invalid":
                raise
        return self._find_fault(body)

    def _find_fault(self, body: bytes) -> BaseModel:
        """Name the field of a body that a lenient reader understands, such as half a character."""
        try:
            return self._body.model_validate(json.loads(body))
        except (ValueError, RecursionError) as error:
            if isinstance(error, ValidationError):
                raise
            return self._body.model_validate_json(body)


def _read(place: str, validate: Callable[[Any], Any], value: Any, *names: str) -> Any:
    try:
        return validate(value)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        raise RequestValidationError(
            [fault | {"loc": (place, *names, *fault["loc"])} for fault in faults]
        ) from None
