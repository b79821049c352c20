"""People are let in, given roles and shut out."""

from uuid import UUID

from ledger.aggregates.staff import StaffMember
from ledger.commands import staff
from ledger.kernel.roles import MONEY_ROLES, Role
from tests.simulation.noun import Noun

noun = Noun(staff)

STAFF = (str(UUID(int=0x5A)), str(UUID(int=0x5B)))
ROLES = (
    [Role.ADMIN],
    [Role.CASHIER, Role.CLERK],
    [Role.CLERK],
    [Role.ADMIN, Role.CASHIER],
)


@noun.chance(who=STAFF, roles=ROLES)
def add_person(life, who, roles):
    life.attempt("add_person", who, roles)


@noun.chance(who=STAFF, roles=ROLES)
def enrol_person(life, who, roles):
    life.attempt("enrol_person", who, roles)


@noun.chance(who=STAFF, roles=ROLES)
def grant_roles(life, who, roles):
    life.attempt("grant_roles", who, roles)


@noun.chance(who=STAFF, roles=ROLES)
def withdraw_roles(life, who, roles):
    life.attempt("withdraw_roles", who, roles)


@noun.chance(who=STAFF)
def disable_person(life, who):
    life.attempt("disable_person", who)


@noun.rule
def no_admin_holds_a_money_role(life):
    for who in STAFF:
        member = life.ledger.find(StaffMember, UUID(who))
        roles = set() if member is None else member.roles
        assert Role.ADMIN not in roles or not MONEY_ROLES & roles
