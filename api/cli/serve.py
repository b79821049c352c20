"""leifeng serve"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from socket import AF_INET, AF_INET6, create_server, socket
from typing import TYPE_CHECKING, Annotated

import typer
import uvicorn
from fastapi import FastAPI
from rich.console import Console

from api.app import create_app, open_site
from api.cli.shared import DataFolder
from api.gate.connection import limited
from api.gate.limits import Limits
from api.kernel.site import Site
from api.places import Places, policy_file
from api.processes.self_check import EVERY_S
from api.sso.refusals import NotInstalled
from api.sso.settings import Settings
from ledger.kernel.errors import LedgerError
from ledger.kernel.roles import Role
from projections.log.cosigning import WitnessAddress, policy_of

if TYPE_CHECKING:
    from api.sso.provider import Provider

if sys.platform != "win32":
    import resource

Host = Annotated[str, typer.Option(help="The address to listen at.")]
Port = Annotated[int, typer.Option(help="The port to listen at.", min=0, max=65535)]
Limit = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        help="NAME=NUMBER, repeatable: how much a client may ask for; see api/gate/limits.py.",
    ),
]
HostName = Annotated[
    list[str] | None,
    typer.Option("--host-name", help="Answer to this name only; repeatable. Any if none is given."),
]

VerifyEvery = Annotated[
    float,
    typer.Option(
        min=0,
        help="Seconds between two checks of the whole history; 0 for none.",
        metavar="SECONDS",
    ),
]

FILES = 256
"""What a server opens besides its connections, generously."""

STOP_S = 30
"""Seconds that requests have to end in when the server is stopped."""


LogName = Annotated[
    str | None,
    typer.Option(
        help="What the public log is called, when it is first served: a host of yours and a path."
    ),
]


Witnesses = Annotated[
    list[str] | None,
    typer.Option(
        "--witness",
        metavar="NAME,VKEY,URL",
        help="Have this witness cosign what the log publishes. May be given more than once.",
    ),
]


Sso = Annotated[
    list[str] | None,
    typer.Option(
        "--sso",
        metavar="NAME=VALUE",
        help="Have people sign in at a provider of OpenID Connect; repeatable: issuer, client, "
        "secret-file, address (this site's own) and name (what a button calls the provider).",
    ),
]


def serve(
    data: DataFolder,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    log_name: LogName = None,
    witness: Witnesses = None,
    limit: Limit = None,
    host_name: HostName = None,
    verify_every: VerifyEvery = EVERY_S,
    sso: Sso = None,
) -> None:
    """Serve the ledger over HTTP until stopped."""
    witnesses = [WitnessAddress.parse(text) for text in witness or ()]
    limits = Limits.of(os.environ, limit or ())
    provider = _provider(Settings.of(os.environ, sso or ()))
    run(
        data,
        host,
        port,
        log_name=log_name,
        witnesses=witnesses,
        limits=limits,
        hosts=host_name or (),
        verify_every_s=verify_every,
        provider=provider,
    )


def _provider(settings: Settings | None) -> Provider | None:
    if settings is None:
        return None
    try:
        from api.sso.provider import Provider  # noqa: PLC0415  # Needs an extra.
    except ModuleNotFoundError as missing:
        raise NotInstalled(missing.name) from None
    return Provider(settings)


def run(
    data: Path,
    host: str,
    port: int,
    *,
    log_name: str | None = None,
    witnesses: Sequence[WitnessAddress] = (),
    limits: Limits | None = None,
    hosts: Sequence[str] = (),
    verify_every_s: float = EVERY_S,
    provider: Provider | None = None,
) -> None:
    """Serve the ledger kept in ``data``, whose public log is called ``log_name`` if it is new."""
    limits = limits or Limits.of(os.environ)
    with open_site(data) as site:  # So that what is wrong with it is said in one sentence.
        site.log.begin(log_name)
        done = (*site.ledger.store.notices, *site.identity.notices, *first_admin(site))
    if provider is not None:
        name, uri = provider.settings.name, provider.settings.redirect_uri
        done = (*done, f"people may sign in at {name}, where {uri} is registered")
    policy_file(data).write_bytes(policy_of(witnesses).encode())
    app = create_app(
        data,
        witnesses=witnesses,
        limits=limits,
        hosts=hosts,
        verify_every_s=verify_every_s,
        provider=provider,
    )
    serving = f"serving {Places.of(data)} at {{address}} (API: /docs), Ctrl-C to stop"

    def let_go() -> None:
        app.state.live.close()

    serve_app(app, (*done, serving), host, port, limits, let_go)


FIRST_ADMIN = "admin"
"""What the first admin is called, who adds everybody else."""


def first_admin(site: Site) -> list[str]:
    """See to it that there is somebody who can let others in; say how they come in, this once."""
    identity, at = site.identity, datetime.now(UTC)
    if identity.users.count(Role.ADMIN):
        return []
    token = identity.create_token(FIRST_ADMIN, [Role.ADMIN], at=at)
    site.outbox.deliver()
    return [f"made the first admin, whose token is shown this once: {token}"]


def serve_app(
    app: FastAPI,
    lines: Sequence[str],
    host: str,
    port: int,
    limits: Limits,
    let_go: Callable[[], None] = lambda: None,
) -> None:
    """Serve an application until it is stopped.

    Args:
        app: The application.
        lines: Lines that are shown first; they may name its ``{address}``.
        host: The address to listen at.
        port: The port to listen at; 0 for any.
        limits: What one client may ask for.
        let_go: Called when it is to stop, before those who look on are waited for.

    """
    _make_room(limits.connections + FILES)
    config = uvicorn.Config(
        app,
        http=limited(limits),
        log_level="error",  # Anybody can send what uvicorn warns of; no log fills with that.
        access_log=False,
        server_header=False,
        timeout_keep_alive=limits.idle_s,
        timeout_graceful_shutdown=STOP_S,
    )
    with _listening(host, port) as listening, suppress(KeyboardInterrupt):
        address = f"http://{host}:{listening.getsockname()[1]}"
        for line in lines:
            text = line.replace("{address}", address)
            Console(stderr=True).print(text, highlight=False, soft_wrap=True)
        _Server(config, let_go).run(sockets=[listening])


class _Server(uvicorn.Server):
    """Stops: those who look on are let go first, or it would wait for them for ever."""

    def __init__(self, config: uvicorn.Config, let_go: Callable[[], None]) -> None:
        super().__init__(config)
        self._let_go = let_go

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Take no more requests, finish those under way, and go."""
        self._let_go()
        await super().shutdown(sockets)


def _make_room(files: int) -> None:
    """Let the process open so many files, as far as the system allows it."""
    if sys.platform != "win32":
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < files:
            most = files if hard == resource.RLIM_INFINITY else min(files, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _listening(host: str, port: int) -> socket:
    try:
        return create_server((host, port), family=AF_INET6 if ":" in host else AF_INET)
    except OSError as error:
        raise CannotListen(host, port, error) from None


class CannotListen(LedgerError):
    """A server needs an address of its own."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        super().__init__(f"cannot listen at {host}:{port}: {error.strerror or error}")
