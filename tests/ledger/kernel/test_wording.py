"""What identifies a person never enters a history that nobody can edit."""

import pytest

from ledger.kernel.errors import Invalid
from ledger.kernel.wording import TEXT_MAX, code, plain, printable


@pytest.mark.parametrize(
    "text",
    [
        "为76名儿童捐建测听室",
        "第一行\n第二行\t制表",
        "12,345.67 yuan on 2026-03-08",
        "order JLG-20260308-000212",
        "hotline 88886666",
        "parcel 138123456789",
        "字" * TEXT_MAX,
        "1",
    ],
)
def test_ordinary_words_and_figures_are_kept_as_they_are(text):
    assert plain(text, "note") == text


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("430102199003072316", "identity-card"),
        ("身份证43010219900307231X转交", "identity-card"),
        ("43010219900307231x", "identity-card"),
        ("6222021901012345", "bank-card"),
        ("6222 0219 0101 2345 678", "bank-card"),
        ("6222-0219-0101-2345-678", "bank-card"),
        ("13812345678", "mobile-phone"),
        ("请打138 1234 5678", "mobile-phone"),
        ("199-1234-5678", "mobile-phone"),
        ("+8613812345678", "mobile-phone"),
        ("+86 138-1234-5678", "mobile-phone"),
        ("008613812345678", "mobile-phone"),
        ("138１２３４5678", "mobile-phone"),
    ],
)
def test_what_looks_like_a_persons_number_is_refused(text, what):
    with pytest.raises(Invalid, match=what):
        plain(text, "note")


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u3000"])
def test_empty_words_say_nothing(text):
    with pytest.raises(Invalid, match="must not be empty"):
        plain(text, "note")


def test_one_character_too_many_is_too_long():
    with pytest.raises(Invalid, match="at most 500 characters, not 501"):
        plain("字" * (TEXT_MAX + 1), "note")


@pytest.mark.parametrize(
    "character", ["\x00", "\x1b", "\r", "\x7f", "\x9f", "\u200f", "\u202e", "\u2069", "\ud800"]
)
def test_characters_that_hide_what_a_line_says_are_refused(character):
    with pytest.raises(Invalid, match="control character"):
        plain(f"a{character}b", "note")


def test_a_long_number_may_be_an_order_or_an_item():
    assert printable("6222021901012345", "sku") == "6222021901012345"


def test_a_refusal_names_the_field():
    with pytest.raises(Invalid) as refusal:
        plain("", "reason")

    assert refusal.value.field == "reason"


@pytest.mark.parametrize(
    "text",
    [
        "JLG-20260308-000005",
        "1",
        "2026030820123800012",  # A card's length, and no card's beginning.
        "6222021901012346",  # A card's length, and a wrong check digit.
        "430102199003072314",  # An identity number's length, and a wrong check digit.
        "430102199013072316",  # The same, of a month that is none.
        "12345678901",
        "no@where",
        "A" * 64,
    ],
)
def test_what_a_program_calls_an_order_is_kept(text):
    assert code(text, "order_no") == text


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("430102199003072317", "identity-card"),
        ("11010519491231002x", "identity-card"),
        ("A-11010519491231002X", "identity-card"),
        ("6222021901012349", "bank-card"),
        ("13812345678", "mobile-phone"),
        ("+8613812345678", "mobile-phone"),
        ("008613812345678", "mobile-phone"),
        ("86-13812345678", "mobile-phone"),
        ("li@example.org", "e-mail"),
    ],
)
def test_a_number_of_a_person_is_no_name_of_an_order(text, what):
    with pytest.raises(Invalid, match=f"^order_no: looks like an? {what}") as refusal:
        code(text, "order_no")

    assert text not in str(refusal.value)


@pytest.mark.parametrize("text", ["", " ", "李女士", "a b", "a\n", "A" * 65, "\x00", "é"])
def test_an_order_is_called_by_64_visible_characters_at_most(text):
    with pytest.raises(Invalid, match=r"^order_no: must be 1 to 64 visible ASCII"):
        code(text, "order_no")


@pytest.mark.parametrize(
    "hidden",
    ["\u061c", "\u200b", "\u200f", "\u2028", "\u202e", "\u2066", "\ufeff", "\uffff", "\U000e0041"],
)
def test_what_does_not_show_or_turns_the_line_is_refused(hidden):
    with pytest.raises(Invalid, match=r"^name: has a control character"):
        printable(f"a{hidden}b", "name")


def test_the_variants_of_characters_in_names_are_kept():
    assert printable("葛\U000e0100城", "name")
