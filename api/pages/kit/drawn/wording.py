"""Wording of drawn forms: what nouns declare beside their routes, and what several have alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from api.kernel.texts import marked
from api.kernel.things import Thing
from api.pages.kit.labels import CHANNELS
from api.routes.every import forms

LABELS: dict[str, str] = {
    "amount": marked("Amount, in yuan"),
    "on": marked("Business day"),
    "received_on": marked("Received on"),
    "note": marked("Note"),
    "channel": marked("How it was paid"),
    "external_ref": marked("Reference of the bank or platform"),
    "statement_ref": marked("Number of the statement"),
    "reason": marked("Reason"),
    "basis": marked("Basis"),
    "name": marked("Name"),
    "phone": marked("Telephone"),
    "email": marked("E-mail"),
    "purpose": marked("Purpose"),
    "lines": marked("File of lines"),
}
"""What fields are called that several nouns have."""

HINTS: dict[str, str] = {
    "purpose": marked(
        "It stands in the history for good and is read by everybody: name nobody in it."
    ),
    "reason": marked("It stands in the history for good: name nobody in it."),
    "note": marked("It stands in the history for good: name nobody in it."),
    "external_ref": marked("As the bank or platform writes it, such as BK-0120."),
    "statement_ref": marked("As the bank or platform writes it, such as 2026-04/17."),
}
"""What else there is to say of them."""

LINE_CODES: Mapping[str, str] = {
    "line.malformed": marked("It is no JSON object of the agreed shape."),
    "amount.invalid": marked("An amount is no whole, positive number of fen."),
    "date.invalid": marked("A day is none of the calendar, or after today."),
    "order.conflict": marked("It was recorded before, with something else in it."),
    "order.unknown": marked("Nothing was ordered under this number."),
    "sku.unknown": marked("The goods are not in the catalogue of the sale."),
    "quantity.invalid": marked("A quantity is no whole, positive number of pieces."),
    "price.mismatch": marked("The price is not the listed one."),
    "return.exceeds-sold": marked("More comes back than was sold."),
    "return.window-closed": marked("It comes back after the agreed days."),
    "oversold": marked("More is sold than was put with the partner."),
    "pledge.conflict": marked("It was recorded before under this ref, with something else in it."),
    "donor.unknown": marked("No donor is registered under this id."),
    "donor.processing-stopped": marked("The donor's details are restricted or erased."),
    "fund.unknown": marked("No fund has this code."),
    "fund.closed": marked("The fund is closed."),
    "payment.counted": marked("The payment was counted before."),
    "role.forbidden": marked("A payment is a cashier's to record."),
}
"""Why a line was not taken in, by its code."""


@cache
def things() -> Mapping[str, Thing]:
    """Return what kind of thing each field names that names one."""
    return {name: thing for each in forms() for thing in each.things for name in thing.fields}


@cache
def noun_titles() -> Mapping[str, str]:
    """Return what operations are grouped under, by their noun."""
    return {each.noun: each.title for each in forms() if each.title is not None}


def label_of(path: str) -> str:
    """Return what a field is called; its operation stands before the colon.

    Raises:
        LookupError: It has no name here.

    """
    noun, _, field = path.partition("/")
    label = _looked_up(_labels(noun), field)
    if label is None:
        raise LookupError(f"no label for {path}")
    return label


def hint_of(path: str) -> str | None:
    """Return what else there is to say of a field, if anything."""
    noun, _, field = path.partition("/")
    return _looked_up(_hints(noun), field)


@cache
def _labels(noun: str) -> Mapping[str, str]:
    """Return what fields of a noun are called: by itself, by whose things they name, or by all."""
    named = {name: thing.fields[name] for name, thing in things().items()}
    return LABELS | named | _merged(each.labels for each in forms() if each.noun == noun)


@cache
def _hints(noun: str) -> Mapping[str, str]:
    return HINTS | _merged(each.hints for each in forms() if each.noun == noun)


def _merged(tables: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {name: text for table in tables for name, text in table.items()}


def _looked_up(table: Mapping[str, str], field: str) -> str | None:
    whole = field.partition(":")[2]
    for name in (field, whole, whole.rpartition(".")[2]):
        if name in table:
            return table[name]
    return None


def choices_of(words: Iterable[str]) -> Mapping[str, str]:
    """Return what choices are called.

    Raises:
        LookupError: No table has all of them.

    """
    chosen = list(words)
    for table in (CHANNELS, *(table for each in forms() for table in each.choices)):
        if table.keys() >= set(chosen):
            return {word: table[word] for word in chosen}
    raise LookupError(f"no names for {chosen}")
