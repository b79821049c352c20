"""A receipt as a PDF/A-3 that has the receipt itself attached.

The same receipt gives the same bytes, wherever and whenever it is set: its date is that of the
last event, its font comes as a package, and nothing in it is drawn by chance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from importlib.resources import as_file, files
from io import BytesIO
from typing import Any, Final

import msgspec
import segno
import typst

from ledger.kernel.aggregate import Fact
from ledger.kernel.money import yuan
from ledger.store.form import StoredForm
from ledger.transparency.encoding import from_base64
from ledger.transparency.note import parse_note
from projections.views.every import sentence

FONTS = "noto_cjk_sans_otc"
"""The package that has the font: Noto Sans CJK 2.004, as Debian has it as well."""

STANDARD: Final = "a-3a"
"""PDF/A-3 (ISO 19005-3), which may have files attached; level A, for those who have it read out."""

FIGURES: Mapping[str, tuple[str, str]] = {
    "received": ("到账", "Received"),
    "reserved": ("预留", "Reserved"),
    "paid": ("付出", "Paid"),
    "acknowledged": ("签收", "Acknowledged"),
    "balance": ("余额", "Balance"),
}

_typesetting = ThreadPoolExecutor(1, "typesetting")
"""One thread, so that receipts never take all processors, nor more memory than one does."""

_form = StoredForm()


def typeset(receipt: bytes, address: str, *, illustrative: bool) -> bytes:
    """Return a receipt as a PDF.

    Args:
        receipt: The JSON that ``GET /v1/donations/{id}/receipt`` answers.
        address: Of this site.
        illustrative: It is of a ledger that was made up.

    """
    content = msgspec.json.decode(receipt)
    link = f"{address.rstrip('/')}/verify#receipt={content['donation']['id']}"
    words = _shown(content) | {"address": link, "illustrative": illustrative}
    source = (files("api.routes") / "receipt.typ").read_bytes()
    inputs = {
        "receipt": receipt.decode(),
        "shown": msgspec.json.encode(words).decode(),
        "qr": _square(link),
    }
    return _typesetting.submit(_compile, source, inputs).result()


def _compile(source: bytes, inputs: dict[str, str]) -> bytes:
    # A compiler may be used by its own thread alone. The simpler `typst.compile`
    # never forgets what it has worked out.
    compiler = typst.Compiler(font_paths=_fonts())
    made = compiler.compile(source, format="pdf", sys_inputs=inputs, pdf_standards=STANDARD)
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made


@cache
def _fonts() -> typst.Fonts:
    """Return the packaged font, and no other."""
    with as_file(files(FONTS)) as folder:
        return typst.Fonts(
            include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder]
        )


def _shown(receipt: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the paper says of a receipt."""
    donation, fund = receipt["donation"], receipt["fund"]
    facts = list(_facts(receipt))
    checkpoint = parse_note(receipt["checkpoint"].encode()).text
    return {
        "id": donation["id"],
        "log": checkpoint.partition("\n")[0],
        "checkpoint": receipt["checkpoint"],
        "moment": _moment(facts[-1].recorded_at),
        "promised": yuan(donation["amount"]),
        "received": yuan(donation["received"]),
        "events": [
            {"position": event["position"], "day": str(fact.on)} | sentence(fact)._asdict()
            for event, fact in zip(receipt["events"], facts, strict=True)
        ],
        "fund": {name: fund[name] for name in ("code", "name", "purpose", "pooled")}
        | {"figures": list(_figures(fund))},
    }


def _facts(receipt: Mapping[str, Any]) -> Iterator[Fact]:
    for event in receipt["events"]:
        yield _form.read(event["topic"], from_base64(event["state"]))


def _figures(fund: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    for name, (zh, en) in FIGURES.items():
        now, change = fund["now"][name], fund["change"][name]
        yield {"zh": zh, "en": en, "now": _signed(now), "change": _signed(change)}


def _signed(fen: int) -> str:
    return yuan(fen).replace("-", "−")


def _moment(at: datetime) -> dict[str, int]:
    at = at.astimezone(UTC)
    names = ("year", "month", "day", "hour", "minute", "second")
    return {name: getattr(at, name) for name in names}


def _square(link: str) -> str:
    """Return a QR code that leads to ``link``, as SVG."""
    drawn = BytesIO()
    segno.make_qr(link, error="m").save(drawn, kind="svg", xmldecl=False, border=4)
    return drawn.getvalue().decode()
