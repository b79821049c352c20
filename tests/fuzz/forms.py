"""What browsers send to pages: forms, what people write into their fields, and cookies."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlencode

from starlette.requests import Request

from api.pages.account.sign_in import inside
from api.pages.desk.settlements import read_figures
from api.pages.donor.giving import answers
from api.pages.kit.entrance import FIELDS_MAX, fields_of
from api.pages.kit.forms import day, fen, fen_or_none, on_day, text
from api.pages.kit.languages import LANGUAGES, language_of
from ledger.kernel.errors import Invalid
from ledger.kernel.money import AMOUNT_MAX, yuan
from ledger.kernel.wording import shows_itself


def form(data: bytes) -> None:
    """Read a form, or cookies if it begins with a zero; then each field as any page would."""
    if data[:1] == b"\0":
        cookies(data[1:])
        return
    with suppress(Invalid):
        fields = fields_of(data)
        assert len(fields) <= FIELDS_MAX
        assert fields_of(urlencode(fields).encode()) == fields
        for name in fields:
            field(fields, name)
        whole(fields)


def field(said: Mapping[str, str], name: str) -> None:
    """Read a field as an amount, a day, words and an address."""
    with suppress(Invalid):
        amount = fen(said, name)
        assert 0 < amount <= AMOUNT_MAX
        assert fen_or_none({name: yuan(amount)}, name) == amount
    with suppress(Invalid):
        assert on_day(said, name).isoformat() == said[name]
        assert day(said[name], name) == on_day(said, name)
    with suppress(Invalid):
        assert shows_itself(text(said, name))
    where = inside(said[name])
    assert where.startswith("/")
    assert not where.startswith(("//", "/\\"))


def whole(said: Mapping[str, str]) -> None:
    """Read the form as the steps of giving, and as a partner's statement."""
    found, refusal = read_figures(said)
    assert refusal is not None or all(each is None or each >= 0 for each in found.values())
    with suppress(Invalid):
        given = answers(said)
        assert answers(given.fields()) == given
        parts = given.instalments
        assert not parts or sum(each.amount for each in parts) == given.amount
        assert len(parts) == (given.parts if given.parts > 1 else 0)


def cookies(data: bytes) -> None:
    """Read cookies, of which any may be there twice or not be one."""
    scope = {"type": "http", "headers": [(b"cookie", data)], "query_string": b""}
    assert language_of(Request(scope)) in LANGUAGES
