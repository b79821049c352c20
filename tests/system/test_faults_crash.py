"""A process that ends before or after any step of storing leaves all of a batch, or none."""

from __future__ import annotations

import os
from contextlib import contextmanager
from uuid import UUID

import msgspec
import pytest

from ledger.commands import Ledger
from ledger.commands.disbursements import approve
from ledger.commands.donations import pledge, receive_payment
from ledger.kernel.names import DisbursementId
from ledger.store.postgres import PostgresStore
from ledger.store.sqlite import SqliteStore
from tests.charity import charity
from tests.oracle import SentCommand, check
from tests.processes import processes
from tests.samples import CHEN, HEAR, MEI, WANG, ZHAO
from tests.spec import TODAY, act
from tests.stores import busy

CRASHED = 77

STEPS = ("begin", "stored_events", "tallies", "answers", "commit")
"""What storing consists of, in order."""

MOMENTS = [f"{when} {step}" for step in STEPS for when in ("before", "after")]

START_S = 120


class Crashing:
    """A store whose process ends at a step of the first batch that it stores."""

    at: str

    def step(self, name):
        if name == self.at:
            os._exit(CRASHED)

    @contextmanager
    def crashing(self, transaction):
        self.step("before begin")
        with transaction as connection:
            self.step("after begin")
            yield Watched(connection, self.step)
            self.step("before commit")
        self.step("after commit")


class Watched:
    """A connection that says what is about to be inserted, and what was."""

    def __init__(self, connection, step):
        self._connection = connection
        self._step = step

    def execute(self, statement, *values):
        into = statement.partition(" INTO ")[2].partition(" ")[0]
        self._step(f"before {into}")
        cursor = self._connection.execute(statement, *values)
        self._step(f"after {into}")
        return cursor


class CrashingSqlite(Crashing, SqliteStore):
    def _transaction(self):
        return self.crashing(super()._transaction())


class CrashingPostgres(Crashing, PostgresStore):
    def _writing(self):
        return self.crashing(super()._writing())


def batch(held):
    """Return three commands of three people: one event, two events, and one that moves money."""
    promise = {"donor": MEI, "fund": HEAR, "amount": 70, "currency": "CNY", "pledged_on": TODAY}
    payment = {"amount": 30, "channel": "bank", "external_ref": "B-7", "received_on": TODAY}
    return [
        (pledge, asked_by(CHEN, 1), (), promise),
        (approve, asked_by(ZHAO, 2, "approver"), (held["disbursement"],), {"on": TODAY}),
        (receive_payment, asked_by(CHEN, 3, "cashier"), (held["donation"],), payment),
    ]


TOPICS = (
    ("donation.pledged.1",),
    ("disbursement.approval-given.1", "disbursement.reserved.1"),
    ("donation.payment-received.1",),
)


def asked_by(who, number, role="clerk"):
    return msgspec.structs.replace(
        act(who, role=role), command=UUID(int=number), fingerprint={"body": f"{number}"}
    )


def store_and_crash(place, held, at):
    """Store the batch as the committer does, in a process that ends at that step."""
    ledger = Ledger(place)
    kind = CrashingSqlite if ledger.store.is_local else CrashingPostgres
    commits = [
        ledger.rehearse(command, asked, *args, **said)  # Three at once.
        for command, asked, args, said in batch(held)
    ]
    ledger.store.__class__ = kind
    ledger.store.at = at
    ledger.store.write(commits)
    os._exit(0)


@pytest.fixture(name="held")
def _held(place):
    with charity(place) as house:
        house.open_fund()
        house.gift(1_000)
        held = {"donation": house.pledge(100), "disbursement": house.request(400)}
        house.approve(DisbursementId(held["disbursement"]), WANG)
    return held


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_crash_leaves_the_whole_batch_or_nothing(place, tmp_path, held, moment):
    views = tmp_path / "views.db"
    with charity(place) as house:
        before = house.ledger.store.last_position()
    crashing = processes().Process(target=store_and_crash, args=(place, held, moment))
    crashing.start()
    crashing.join(START_S)
    assert crashing.exitcode == CRASHED
    with busy(place):  # What the crashed process began is over.
        pass
    stored = moment == "after commit"

    unanswered = [SentCommand(UUID(int=n), topics) for n, topics in enumerate(TOPICS, 1)]
    assert check(place, views, unanswered) == before + (4 if stored else 0)

    with charity(place) as house:
        receipts = [
            house.ledger.record(command, asked, *args, **said)
            for command, asked, args, said in batch(held)
        ]
    assert [each.repeated for each in receipts] == [stored] * 3
    answered = [
        msgspec.structs.replace(each, receipt={"id": receipt.id, "position": receipt.position})
        for each, receipt in zip(unanswered, receipts, strict=True)
    ]
    assert check(place, views, answered) == before + 4
