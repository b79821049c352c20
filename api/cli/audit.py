"""leifeng audit"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated

import typer

from api.cli import audit_bundle
from api.cli.shared import DataFolder, existing_ledger
from api.places import Places, key_file
from ledger.commands import Ledger
from ledger.commands.public_logs import announce_key
from ledger.kernel.aggregate import Act
from ledger.kernel.errors import LedgerError
from ledger.kernel.ids import new_id
from ledger.kernel.roles import Role, RoleForbidden
from ledger.people.identity import Identity
from ledger.transparency.note import Signer
from projections.log.keys import KeyFile, KeyRing, a_name
from projections.log.log import Log
from projections.log.tables import open_log

app = typer.Typer(help="What others check the history with.", no_args_is_help=True)

app.command("export")(audit_bundle.export)
app.command("verify")(audit_bundle.verify)

Person = Annotated[str, typer.Option(help="An admin, as their token names them.")]
Name = Annotated[
    str | None, typer.Option(help="Of the log; a host of yours and a path, such as a.example/log.")
]


class NoKey(LedgerError):
    """A log has a key from when it is first served."""

    def __init__(self, keys: KeyFile) -> None:
        super().__init__(f"there is no key in {keys.path}; the first leifeng serve makes it")


@app.command("key")
def key(data: DataFolder) -> None:
    """Print the verifier keys that the log is signed with, the newest last."""
    for signer in _ring(key_file(data)).signing:
        typer.echo(signer.verifier)


@app.command("rotate")
def rotate(data: DataFolder, person: Person) -> None:
    """Sign with a new key as well from now on, and say so in the history."""
    keys = key_file(data)
    signer = Signer.generate(_ring(keys).name)
    with existing_ledger(data, writes=True) as ledger:
        _announce(ledger, _admin(data, person), signer)
    keys.add(signer)
    typer.echo(signer.verifier)


@app.command("new-log")
def new_log(data: DataFolder, person: Person, name: Name = None) -> None:
    """Begin a log under another name and key, where the old one cannot go on.

    The old name is never signed under again. Whoever holds its checkpoints sees that it ends.
    """
    keys, places = key_file(data), Places.of(data)
    signer = Signer.generate(name or a_name())
    with existing_ledger(data, writes=True) as ledger:
        act = _admin(data, person)
        engine = open_log(places.log)
        try:
            log = Log(ledger.store, engine, keys, lambda: datetime.now(UTC))
            log.begin_another(signer)
        finally:
            engine.dispose()
        _announce(ledger, act, signer)
    typer.echo(signer.verifier)


def _ring(keys: KeyFile) -> KeyRing:
    ring = keys.read()
    if ring is None:
        raise NoKey(keys)
    return ring


def _admin(data: DataFolder, person: str) -> Act:
    places = Places.of(data)
    with closing(Identity(places.people, places.vault_key)) as identity:
        for caller in identity.callers(person.strip()):
            if Role.ADMIN in caller.roles:
                return Act(caller.person, Role.ADMIN.value, new_id(), datetime.now(UTC))
    raise RoleForbidden(announce_key.by, says="--person has no token as {roles}")


def _announce(ledger: Ledger, act: Act, signer: Signer) -> None:
    name, verifier = signer.verifier.name, str(signer.verifier)
    ledger.record(announce_key, act, name=name, key=verifier)
