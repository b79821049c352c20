"""Every error of the ledger has a status, a name and a title; those of the contract, its own."""

import json

import pytest

import api.app  # noqa: F401  # Whatever can be raised is then defined.
from api.kernel.problems import (
    KeyRequired,
    RoleForbidden,
    TooLarge,
    Unauthenticated,
    problem,
    respond,
    status_of,
    title_of,
)
from ledger.aggregates.funds import FundClosed, InsufficientFunds
from ledger.aggregates.sales.rules import ReturnWindowOpen
from ledger.aggregates.sales.settlements import SettlementMismatch
from ledger.commands.application import BeforeTheRegime, IdempotencyMismatch
from ledger.kernel.duties import AlreadyApproved, OwnApproval, OwnRequest
from ledger.kernel.errors import (
    Conflict,
    Invalid,
    LedgerError,
    NotFound,
    Overloaded,
    Refused,
    SamePerson,
    WrongState,
)
from ledger.kernel.lines import LineRefused

CONTRACT = [
    (Invalid, 422, "invalid-request"),
    (BeforeTheRegime, 422, "invalid-request"),
    (Unauthenticated, 401, "unauthenticated"),
    (RoleForbidden, 403, "role-forbidden"),
    (SamePerson, 403, "same-person"),
    (OwnRequest, 403, "same-person"),
    (OwnApproval, 403, "same-person"),
    (AlreadyApproved, 403, "same-person"),
    (NotFound, 404, "not-found"),
    (WrongState, 409, "wrong-state"),
    (InsufficientFunds, 409, "insufficient-funds"),
    (FundClosed, 409, "fund-closed"),
    (SettlementMismatch, 409, "settlement-mismatch"),
    (ReturnWindowOpen, 409, "return-window-open"),
    (IdempotencyMismatch, 422, "idempotency-mismatch"),
    (KeyRequired, 400, "idempotency-key-required"),
    (Conflict, 409, "conflict"),
    (TooLarge, 413, "too-large"),
    (Overloaded, 503, "overloaded"),
]


@pytest.mark.parametrize(("kind", "status", "name"), CONTRACT)
def test_a_case_of_the_contract_has_its_status_and_type(kind, status, name):
    assert (status_of(kind), kind.problem_name()) == (status, name)


def kinds_below(kind):
    for each in kind.__subclasses__():
        yield each
        yield from kinds_below(each)


RAISED = [each for each in kinds_below(Refused) if not issubclass(each, LineRefused)]


@pytest.mark.parametrize("kind", RAISED, ids=lambda kind: kind.__qualname__)
def test_every_rule_is_a_refusal_with_a_name_and_a_title(kind):
    assert status_of(kind) in {403, 409, 422}
    assert kind.problem_name().replace("-", "").isalpha()
    assert title_of(kind).endswith(".")
    assert title_of(kind) != title_of(LedgerError)


def test_who_comes_when_there_is_too_much_to_do_is_told_when_to_come_again():
    answer = respond(problem(Overloaded("the ledger has more to store than it can")))

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert json.loads(answer.body)["type"] == "/problems/overloaded"
