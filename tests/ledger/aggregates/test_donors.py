"""The history knows a donor's id and what may be done with their details, and nothing else."""

from datetime import date
from typing import get_args
from uuid import UUID

import pytest
from msgspec.structs import fields

from ledger.aggregates.donors import (
    Donor,
    DonorState,
    ErasureBasis,
    ErasureReason,
    MoneyIsOwed,
    ProcessingStopped,
    RestrictionBasis,
    RetentionRuns,
)
from ledger.kernel.aggregate import ENVELOPE
from ledger.kernel.errors import Invalid, WrongState
from ledger.kernel.names import DonationId
from projections.views.every import sentence
from tests.samples import ERASED, MEI, REGISTERED, RESTRICTED
from tests.spec import act, fact, given, replay

ASKED = fact(Donor.ProcessingRestricted, basis="donor-request", until=None)
DONATION = DonationId(UUID(int=7))
LAST_DAY = date(2056, 12, 31)


def restrict(basis="statutory-retention", until=LAST_DAY, on=None):
    said = {} if on is None else {"on": on}
    return lambda donor: donor.restrict(act(**said), basis=basis, until=until)


def erase(owing=(), on=None):
    said = {} if on is None else {"on": on}
    basis, reason = "consent-withdrawn", "asked-by-donor"
    return lambda donor: donor.erase(act(**said), basis=basis, reason=reason, owing=owing)


@pytest.mark.parametrize("anonymous", [True, False])
def test_a_donor_becomes_known_as_they_wish_to_be_named(anonymous):
    given().when(lambda _: Donor.register(act(), donor=MEI, anonymous=anonymous)).then(
        REGISTERED.but(anonymous=anonymous)
    )


def test_a_donor_keeps_the_id_they_were_given():
    assert Donor.register(act(), donor=MEI, anonymous=True).id == MEI


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (Donor.Registered, {"anonymous"}),
        (Donor.ProcessingRestricted, {"basis", "until"}),
        (Donor.Erased, {"basis", "reason"}),
    ],
)
def test_no_name_or_number_or_free_word_of_a_donor_is_in_the_history(kind, said):
    assert {each.encode_name for each in fields(kind)} - set(ENVELOPE) == said


# Restriction.


def test_details_are_restricted_because_they_have_to_be_kept():
    given(REGISTERED).when(restrict()).then(RESTRICTED)


def test_or_because_the_donor_asked_without_an_end():
    given(REGISTERED).when(restrict("donor-request", None)).then(ASKED)


def test_the_same_restriction_again_repeats_the_first():
    given(REGISTERED, RESTRICTED).when(restrict()).then_repeats(2)


def test_another_restriction_is_another_event():
    given(REGISTERED, ASKED).when(restrict()).then(RESTRICTED)


def test_a_period_of_retention_ends_on_a_day():
    given(REGISTERED).when(restrict(until=None)).then_refused(
        Invalid, "the day on which the retention period ends"
    )


def test_no_restriction_ends_before_it_begins():
    given(REGISTERED).when(restrict(until=date(2026, 3, 31))).then_refused(
        Invalid, "is in the past"
    )


def test_what_is_erased_is_not_restricted():
    given(REGISTERED, ERASED).when(restrict()).then_refused(WrongState, "is erased")


# Erasure.


def test_details_are_erased():
    given(REGISTERED).when(erase()).then(ERASED)


def test_details_that_the_donor_had_restricted_are_erased():
    given(REGISTERED, ASKED).when(erase()).then(ERASED)


def test_a_second_erasure_repeats_the_first_whatever_is_owed():
    given(REGISTERED, ERASED).when(erase(owing=[DONATION])).then_repeats(2)


def test_who_owes_or_is_owed_money_is_not_erased():
    given(REGISTERED).when(erase(owing=[DONATION])).then_refused(MoneyIsOwed, str(DONATION))


def test_what_has_to_be_kept_is_not_erased_on_its_last_day():
    given(REGISTERED, RESTRICTED).when(erase(on=LAST_DAY)).then_refused(RetentionRuns, "2056-12-31")


def test_but_on_the_day_after():
    day_after = date(2057, 1, 1)

    given(REGISTERED, RESTRICTED).when(erase(on=day_after)).then(ERASED.but(on=day_after))


def test_a_request_of_the_donors_does_not_end_a_period_of_retention():
    given(REGISTERED, RESTRICTED, ASKED).when(erase()).then_refused(RetentionRuns)


# What is used for nothing.


@pytest.mark.parametrize("stopping", [ASKED, RESTRICTED, ERASED])
def test_whose_details_are_used_for_nothing_promises_nothing_new(stopping):
    with pytest.raises(ProcessingStopped):
        replay(REGISTERED, stopping).check_may_give()


def test_who_is_only_registered_may_give():
    donor = replay(REGISTERED)
    donor.check_may_give()

    assert donor.state is DonorState.ACTIVE


# In words.


@pytest.mark.parametrize("basis", get_args(RestrictionBasis))
def test_every_basis_of_a_restriction_is_told(basis):
    assert all(sentence(ASKED.but(basis=basis).stamped()))


@pytest.mark.parametrize("reason", [*get_args(ErasureReason), None])
@pytest.mark.parametrize("basis", get_args(ErasureBasis))
def test_every_basis_of_an_erasure_is_told(basis, reason):
    assert all(sentence(ERASED.but(basis=basis, reason=reason).stamped()))
