"""The history knows a donor's id and whether to name them, and nothing else."""

import pytest
from msgspec.structs import fields

from ledger.aggregate import ENVELOPE
from ledger.donors import Donor
from tests.samples import MEI, REGISTERED
from tests.spec import act, given


@pytest.mark.parametrize("anonymous", [True, False])
def test_a_donor_becomes_known_as_they_wish_to_be_named(anonymous):
    given().when(lambda _: Donor.register(act(), donor=MEI, anonymous=anonymous)).then(
        REGISTERED.but(anonymous=anonymous)
    )


def test_a_donor_keeps_the_id_they_were_given():
    assert Donor.register(act(), donor=MEI, anonymous=True).id == MEI


def test_no_name_or_number_of_a_donor_is_in_the_history():
    said = {each.encode_name for each in fields(Donor.Registered)}

    assert said - set(ENVELOPE) == {"anonymous"}
