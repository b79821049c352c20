"""HTTP steps: a table of path, command, body and refusals in place of a handler each.

What a step asks of its caller stands with its command (``ledger.commands``): who may, and what it
does. The table adds what HTTP needs. Pages draw their forms from the same routes.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from inspect import Parameter, Signature
from typing import Any, NamedTuple
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response

from api.kernel.desk import Desk
from api.kernel.doors import refuses, takes
from api.kernel.dry_run import FORESEEN, DryRun
from api.kernel.forms import Possible, titled
from api.kernel.wire import Body, Created, Done, created, done
from ledger.commands.command import Command
from ledger.kernel.errors import LedgerError, NotFound


class Step(NamedTuple):
    """One row of a table of steps.

    Attributes:
        path: Below that of the thing, such as ``approvals``.
        command: What is carried out.
        body: What is sent; its ``arguments`` are the command's.
        refuses: Rules that it may break, for the document; that the thing is there goes without
            saying.
        name: Of the operation, if not the command's.
        title: What pages call it.
        possible: Where the aggregate's own table has the states in which it is possible.

    """

    path: str
    command: Command[Any]
    body: type[Body]
    refuses: Sequence[type[LedgerError]] = ()
    name: str | None = None
    title: str | None = None
    possible: Possible | None = None


def add_steps(
    router: APIRouter, thing: str, steps: Sequence[Step], *, kind: type[UUID | str] = UUID
) -> None:
    """Add a route for each step of a thing.

    Args:
        router: Of the noun, whose prefix the paths follow.
        thing: What the path calls it, such as ``disbursement_id``.
        steps: In the order in which a request is tried on them.
        kind: What it is known by: an id, or a fund's code.

    """
    for step in steps:
        router.post(
            f"/{{{thing}}}/{step.path}",
            response_model=Done | DryRun,
            responses=refuses(NotFound, *step.refuses),
        )(_endpoint(step, done, **{thing: kind}))


def add_creation(router: APIRouter, step: Step) -> None:
    """Add the route that begins something new; its path is the router's own."""
    router.post(
        step.path,
        status_code=201,
        response_model=Created,
        responses=FORESEEN | refuses(*step.refuses),
    )(_endpoint(step, partial(created, location=router.prefix)))


def _endpoint(
    step: Step, answer: Callable[[Any], Response], **path: type[UUID | str]
) -> Callable[..., Coroutine[Any, Any, Response]]:
    """Return what carries a step out, with the signature that FastAPI documents."""

    async def take(desk: Desk, body: Body, **named: Any) -> Response:
        return answer(await desk.record(step.command, *named.values(), **body.arguments()))

    kinds = {**path, "body": step.body, "desk": Desk}
    take.__name__ = step.name or step.command.name
    take.__doc__ = step.command.purpose
    take.__annotations__ = {**kinds, "return": Response}
    take.__signature__ = Signature(  # type: ignore[attr-defined]  # What inspect looks for.
        [Parameter(name, Parameter.KEYWORD_ONLY, annotation=kind) for name, kind in kinds.items()]
    )
    return titled(step.title, step.possible)(takes(step.command)(take))
