"""What identifies a person never enters a history that nobody can edit."""

import pytest

from ledger.errors import Invalid
from ledger.wording import TEXT_MAX, plain, printable


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
    with pytest.raises(Invalid, match="must say something"):
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
