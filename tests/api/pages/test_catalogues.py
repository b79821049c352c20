"""Whatever pages say, they say in each language: nothing is left untranslated or half said."""

import re

import pytest

from api.pages.kit.labels import FIGURES, KINDS
from api.pages.kit.languages import LANGUAGES, SOURCE, catalogue, words
from api.routes.funds import RESTRICTIONS
from api.routes.funds import STATES as FUND_STATES
from api.routes.people import ROLES
from api.routes.sale_forms import STATES as SALE_STATES
from ledger.aggregates.funds import FundState
from ledger.aggregates.sales.states import SaleState
from ledger.books.accounts import MONEY
from ledger.books.movements import COLUMNS, movements
from ledger.books.postings import postings
from ledger.kernel.aggregate import FACTS
from ledger.kernel.roles import Role
from projections.views.statements import kind_of
from tests.catalogues import extracted
from tests.samples import SAMPLES

OTHERS = [language for language in LANGUAGES if language != SOURCE]

PLACEHOLDER = re.compile(r"%\(\w+\)s|\{[^}]+\}")


def forms(said):
    return [said] if isinstance(said, str) else list(said)


@pytest.fixture(name="source", scope="module")
def _source():
    """Everything that there is to translate."""
    return {message.id for message in extracted() if message.id}


def test_there_is_something_to_say(source):
    assert len(source) > 200
    assert "What the figures mean" in source
    assert "There is nothing of this name here." in source


@pytest.mark.parametrize("language", OTHERS)
def test_a_catalogue_has_what_is_said_and_nothing_else(language, source):
    known = {message.id for message in catalogue(language) if message.id}

    assert known - source == set()
    assert source - known == set()


@pytest.mark.parametrize("language", OTHERS)
def test_none_is_untranslated_or_doubtful(language):
    for message in catalogue(language):
        if message.id:
            assert all(each.strip() for each in forms(message.string)), message.id
            assert not message.fuzzy, message.id


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_fills_in_what_the_source_does(language):
    for message in catalogue(language):
        if message.id:
            wanted = set(PLACEHOLDER.findall(forms(message.id)[-1]))
            for each in forms(message.string):
                assert set(PLACEHOLDER.findall(each)) == wanted, message.id


def test_chinese_is_chinese():
    for message in catalogue("zh"):
        if message.id:
            assert not any(each.isascii() for each in forms(message.string)), message.id


def test_the_first_language_is_what_is_answered():
    assert words("zh").gettext("Funds") == "基金"
    assert words("en").gettext("Funds") == "Funds"


def test_every_kind_of_event_that_moves_money_has_a_name():
    moving = {
        kind_of(said.stamped())
        for said in SAMPLES
        if any(each.received - each.paid for each in movements(said.stamped()))
    }

    assert moving == KINDS.keys()
    in_the_books = {
        kind_of(said.stamped())
        for said in SAMPLES
        if any(each.account in MONEY for each in postings(said.stamped()))
    }
    assert moving - in_the_books <= {"donation.excess-given", "fund.transferred"}
    assert len(FACTS) > len(moving)


def test_every_state_role_and_figure_has_a_name():
    assert FIGURES.keys() == set(COLUMNS)
    assert ROLES.keys() == set(Role)
    assert SALE_STATES.keys() == set(SaleState)
    assert FUND_STATES.keys() == set(FundState)
    assert RESTRICTIONS.keys() == {"restricted", "unrestricted"}
