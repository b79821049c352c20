"""Rows of the PostgreSQL store: how they are written, and read back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from eventsourcing.persistence import Notification
from psycopg.types.json import Jsonb

from ledger.kernel.tallies import Tally
from ledger.store.commits import Answer, Commit, Kept, Receipt, Verdict, asked_about, remembered

_encode = msgspec.json.encode


def landed(connection: psycopg.Connection[Any], verdict: Verdict) -> bool:
    """Say whether what ``verdict`` was to write is there."""
    if verdict.events:
        position, stored = verdict.events[0]
        row = connection.execute(
            "SELECT state FROM stored_events WHERE position = %s", (position,)
        ).fetchone()
        return row is not None and bytes(row[0]) == stored.state
    return answers(connection, verdict.answers) == verdict.answers


def insert(connection: psycopg.Connection[Any], verdict: Verdict) -> None:
    """Write what stands, many rows with one statement."""
    if verdict.events:
        events = [stored for _, stored in verdict.events]
        connection.execute(
            "INSERT INTO stored_events SELECT * FROM"
            " unnest(%b::bigint[], %b::uuid[], %b::bigint[], %b::text[], %b::bytea[])",
            (
                [at for at, _ in verdict.events],
                [each.originator_id for each in events],
                [each.originator_version for each in events],
                [each.topic for each in events],
                [each.state for each in events],
            ),
        )
    if verdict.tallies:
        connection.execute(
            "INSERT INTO tallies SELECT * FROM"
            " unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[])"
            " ON CONFLICT (subject, name)"
            " DO UPDATE SET value = excluded.value, floor = excluded.floor",
            (
                [tally.subject for tally in verdict.tallies],
                [tally.name for tally in verdict.tallies],
                list(verdict.tallies.values()),
                [verdict.floors.get(tally) for tally in verdict.tallies],
            ),
        )
    if verdict.days:
        connection.execute(
            "INSERT INTO tallies_by_day SELECT * FROM"
            " unnest(%s::text[], %s::text[], %s::date[], %s::bigint[], %s::bigint[])"
            " ON CONFLICT (subject, name, day)"
            " DO UPDATE SET value = excluded.value, floor = excluded.floor",
            (
                [tally.subject for tally, _ in verdict.days],
                [tally.name for tally, _ in verdict.days],
                [day for _, day in verdict.days],
                list(verdict.days.values()),
                [verdict.floors.get(tally) for tally, _ in verdict.days],
            ),
        )
    if verdict.answers:
        connection.execute(
            "INSERT INTO answers SELECT * FROM unnest(%b::uuid[], %b::jsonb[], %b::jsonb[])",
            (
                list(verdict.answers),
                [Jsonb(each.fingerprint, _encode) for each in verdict.answers.values()],
                [Jsonb(each.receipt, _encode) for each in verdict.answers.values()],
            ),
        )


def kept(connection: psycopg.Connection[Any], commits: Sequence[Commit]) -> Kept:
    """Return what is kept of what ``commits`` ask about."""
    keys, since = asked_about(commits)
    return Kept(
        tallies=tallies(connection, keys),
        days=days(connection, since),
        answers=answers(connection, remembered(commits)),
        last=last(connection),
    )


def last(connection: psycopg.Connection[Any]) -> int:
    """Return the place of the newest event; 0 before the first."""
    row = connection.execute("SELECT max(position) FROM stored_events").fetchone()
    return (row[0] if row else None) or 0


def notification(row: tuple[Any, ...]) -> Notification:
    """Return an event from its row."""
    position, stream, version, topic, state = row
    return Notification(stream, version, topic, bytes(state), position)


def tallies(connection: psycopg.Connection[Any], keys: Iterable[Tally]) -> dict[Tally, int]:
    """Return the current values of those tallies that were ever changed."""
    keys = list(keys)
    if not keys:
        return {}
    rows = connection.execute(
        "SELECT subject, name, value FROM tallies"
        " JOIN unnest(%s::text[], %s::text[]) AS asked (subject, name) USING (subject, name)",
        ([each.subject for each in keys], [each.name for each in keys]),
    )
    return {Tally(subject, name): value for subject, name, value in rows}


def days(
    connection: psycopg.Connection[Any], since: Mapping[Tally, date]
) -> dict[Tally, dict[date, int]]:
    """Return the values per day of those tallies, since the last entry until that day."""
    if not since:
        return {}
    rows = connection.execute(
        "SELECT subject, name, each.day, value"
        " FROM unnest(%s::text[], %s::text[], %s::date[]) AS asked (subject, name, day)"
        " JOIN tallies_by_day AS each USING (subject, name)"
        " WHERE each.day >= coalesce((SELECT max(until.day) FROM tallies_by_day AS until"
        " WHERE (until.subject, until.name) = (asked.subject, asked.name)"
        " AND until.day <= asked.day), asked.day)",
        (
            [each.subject for each in since],
            [each.name for each in since],
            list(since.values()),
        ),
    )
    values: dict[Tally, dict[date, int]] = {}
    for subject, name, day, value in rows:
        values.setdefault(Tally(subject, name), {})[day] = value
    return values


def answers(connection: psycopg.Connection[Any], commands: Iterable[UUID]) -> dict[UUID, Answer]:
    """Return what was answered to those commands that were."""
    commands = list(commands)
    if not commands:
        return {}
    rows = connection.execute(
        "SELECT command, fingerprint, receipt FROM answers WHERE command = ANY(%s)", (commands,)
    )
    return {
        command: Answer(fingerprint, msgspec.convert(receipt, Receipt))
        for command, fingerprint, receipt in rows
    }
