"""What a form says of its route is true of the aggregate's own table, or there is no form."""

import pytest

from api.kernel.forms import titled
from api.routes.every import forms
from ledger.aggregates.funds import STEPS


def endpoint():
    """Do nothing."""


def test_a_step_is_possible_where_the_table_allows_it():
    assert vars(titled("Thaw", (STEPS, "thaw"))(endpoint))["states"] == {"frozen"}
    assert vars(titled("Open")(endpoint))["states"] is None


def test_a_step_that_no_state_allows_is_a_mistake():
    with pytest.raises(LookupError, match="no state allows thawing"):
        titled("Thaw", (STEPS, "thawing"))


def test_a_field_names_one_kind_of_thing_and_a_noun_has_one_title():
    fields = [name for each in forms() for thing in each.things for name in thing.fields]
    titled_nouns = [each.noun for each in forms() if each.title is not None]

    assert sorted(fields) == sorted(set(fields))
    assert sorted(titled_nouns) == sorted({each.noun for each in forms()})
