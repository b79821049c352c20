"""Execution of a drawn form's request, read as the API reads it, by the API's own route."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_type_hints

import msgspec
from fastapi.responses import Response
from msgspec import Struct
from pydantic import BaseModel, TypeAdapter, ValidationError

from api.kernel.dry_run import Rehearsed
from api.kernel.feeds import FeedAnswer
from api.pages.kit.drawn.answers import Read, without_blank_rows
from api.pages.kit.drawn.faults import read_body
from api.pages.kit.drawn.operations import Operation
from api.pages.kit.entrance import PageDesk
from ledger.commands.rehearsal import Rehearsal
from ledger.kernel.sentences import Sentence


class Request(Struct, frozen=True):
    """A form, read into the request that it makes.

    Attributes:
        form: The form, without rows in which nothing was written.
        faults: What is wrong with its fields; if anything is, the rest is nothing.
        sent: Path and body as JSON, by which a repeat is known.
        path: What the path names.
        body: What is sent.

    """

    form: Mapping[str, str]
    faults: dict[str, Sentence]
    sent: bytes
    path: Mapping[str, Any]
    body: BaseModel | None


def read_request(operation: Operation, form: Mapping[str, str]) -> Request:
    """Read a form into what its operation takes."""
    kept = without_blank_rows(operation.fields, form)
    read = Read(operation.every_field(), kept)
    faults = dict(read.faults)
    path = _path(operation, read.body, faults)
    sent = {field.name: read.body.get(field.name) for field in operation.fields}
    sent = {name: value for name, value in sent.items() if name in read.body}
    body = None
    if operation.body is not None:
        body, more = read_body(operation.body, msgspec.json.encode(sent))
        faults = more | faults
    whole = msgspec.json.encode(read.body, order="sorted")
    return Request(kept, faults, whole, path, body)


def _path(
    operation: Operation, read: Mapping[str, Any], faults: dict[str, Sentence]
) -> Mapping[str, Any]:
    kinds = get_type_hints(operation.endpoint, include_extras=True)
    path = {}
    for field in operation.things:
        if field.name in faults:
            continue
        try:
            path[field.name] = TypeAdapter(kinds[field.name]).validate_strings(read[field.name])
        except ValidationError:
            faults[field.name] = Sentence("choose one")
    return path


async def rehearse(desk: PageDesk, operation: Operation, request: Request) -> Rehearsal | None:
    """Return what would be recorded; nothing if it is not for the history.

    Raises:
        LedgerError: It would be refused.

    """
    if operation.command is None:
        return None
    desk.dry_run = True
    try:
        await operation.endpoint(desk=desk, body=request.body, **request.path)
    except Rehearsed as end:
        return end.rehearsal
    finally:
        desk.dry_run = False
    raise AssertionError(f"{operation.name} was to be rehearsed")


async def carry_out(desk: PageDesk, operation: Operation, request: Request) -> Mapping[str, Any]:
    """Do it, under the key of the form; return the answer of the API.

    Beside it stand ``sentences``: why lines of a file were rejected, for the reader's language.

    Raises:
        LedgerError: It was refused.

    """
    if operation.takes_lines:
        desk.sends(desk.content)
        answer: Response = await operation.endpoint(desk=desk, **request.path)
    else:
        desk.sends(request.sent)
        answer = await operation.endpoint(desk=desk, body=request.body, **request.path)
    made: dict[str, Any] = msgspec.json.decode(answer.body)
    return made | {"sentences": answer.sentences} if isinstance(answer, FeedAnswer) else made
