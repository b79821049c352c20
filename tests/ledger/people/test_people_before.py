"""Registers of before there were roles of persons: whoever had a token keeps what it gave."""

from contextlib import closing
from datetime import UTC, datetime

from sqlalchemy import insert

from ledger.commands import Ledger
from ledger.commands.outbox import Outbox
from ledger.commands.staff import staff_member
from ledger.kernel.ids import new_id
from ledger.kernel.roles import Role
from ledger.people.identity import Identity, key_beside
from ledger.people.schema import PEOPLE
from ledger.people.tables import TOKENS
from ledger.people.tokens import digest_of
from ledger.store.engine import engine_at, prepare

NOW = datetime(2026, 4, 1, 4, tzinfo=UTC)

TOKEN = "lf_of-old"  # noqa: S105  # Of nobody.


def before_roles(place, person):
    """Make a register of version 3, in which somebody has two tokens."""
    engine = engine_at(place, schema="people", durable=True)
    prepare(engine, PEOPLE._replace(migrations=PEOPLE.migrations[:3]))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"INSERT INTO persons (person) VALUES ('{person}')")  # noqa: S608
        for number, roles in enumerate((["clerk"], ["cashier", "clerk"])):
            row = {"hash": digest_of(f"{TOKEN}{number}"), "person": person, "roles": roles}
            connection.execute(insert(TOKENS).values(**row, created_at=NOW))
    engine.dispose()


def test_roles_of_tokens_become_roles_of_their_person_and_history(place, tmp_path):
    person = str(new_id())
    where = tmp_path / "people.db" if place == tmp_path / "ledger.db" else place
    before_roles(where, person)

    with (
        closing(Identity(where, key_beside(tmp_path), upgrade=True)) as identity,
        closing(Ledger(place)) as ledger,
    ):
        assert identity.caller(f"{TOKEN}0").roles == {Role.CLERK}
        assert identity.caller(f"{TOKEN}1").roles == {Role.CASHIER, Role.CLERK}
        Outbox(ledger, identity.users, lambda: NOW).deliver()

        assert identity.users.pending() == []
        assert identity.users.one(person).roles == (Role.CASHIER, Role.CLERK)
        assert staff_member(ledger, person).roles == {Role.CASHIER, Role.CLERK}
        assert [fact.recorded_at for _, fact in ledger.history(0, 9)] == [NOW, NOW]
