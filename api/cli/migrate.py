"""leifeng migrate"""

from __future__ import annotations

from contextlib import closing

import typer

from api.cli.shared import DataFolder
from api.places import Places
from ledger.commands.records import TABLES
from ledger.people.identity import Identity
from ledger.store import open_store
from projections.log.tables import upgrade_log
from projections.views.opening import upgrade_views


def migrate(data: DataFolder) -> None:
    """Create the tables of a ledger, or bring them up to this version; say what was done."""
    if Places.of(data).are_files:
        data.mkdir(parents=True, exist_ok=True)
    for line in migrated(Places.of(data)) or ["nothing to do"]:
        typer.echo(line)


def migrated(places: Places) -> list[str]:
    """Bring up every database of a ledger; return in lines what was done."""
    with closing(open_store(places.ledger, upgrade=True, schema=TABLES)) as store:
        notices = list(store.notices)
    with closing(Identity(places.people, places.vault_key, upgrade=True)) as identity:
        notices += identity.notices
    return notices + upgrade_views(places.views) + upgrade_log(places.log)
