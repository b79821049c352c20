"""Templates, and how a page is sent: in the reader's language, compressed, allowed nothing else.

A page runs only scripts that carry the nonce of this very answer, and loads nothing from
elsewhere; it has no inline handler and no style attribute.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache, partial
from http import HTTPStatus
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from babel.dates import format_date
from fastapi import Request
from fastapi.responses import Response
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from api.pages.kit.assets import address, takes_gzip
from api.pages.kit.labels import LABELS
from api.pages.kit.languages import LANGUAGES, NAME, TAGS, Language, language_of, words
from api.pages.kit.menu import menu_of
from api.pages.kit.refusal_text import globals_in
from ledger.kernel.aggregate import BUSINESS_ZONE
from ledger.kernel.money import yuan

WINGS = ("kit", "public", "donor", "desk", "audit", "account")
"""Folders of pages, each with its templates, whose names are unique among all of them."""

COOKIE_S = 365 * 24 * 3600
"""Seconds for which the choice of a language is remembered."""

COMPRESSED_FROM = 500
"""Bytes of a page below which compressing it saves nobody anything."""

GZIP_LEVEL = 6

HEADERS = {
    "Cache-Control": "no-cache",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "Vary": "Accept-Encoding, Cookie",
    "X-Content-Type-Options": "nosniff",
}
"""What every page says of itself."""


def _policy(nonce: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            "style-src 'self'",
            "img-src 'self'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def page(
    request: Request, name: str, *, status: HTTPStatus = HTTPStatus.OK, **context: Any
) -> Response:
    """Answer with a page.

    Args:
        request: Who asks, and in which language.
        name: Of the template.
        status: Of the answer.
        context: What the template speaks of.

    """
    language, nonce, menu = language_of(request), token_urlsafe(16), menu_of(request)
    text = render(
        name,
        language,
        nonce=nonce,
        path=request.url.path,
        illustrative=_is_made_up(request),
        toggles={each: _toggle(request, each) for each in LANGUAGES},
        menu=menu,
        **context,
    )
    response = _compressed(request, text.encode())
    response.status_code = status
    response.headers.update(HEADERS)
    if menu.pages:
        response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Language"] = TAGS[language]
    response.headers["Content-Security-Policy"] = _policy(nonce)
    if request.query_params.get(NAME) == language:
        response.set_cookie(NAME, language, max_age=COOKIE_S, samesite="lax")
    return response


def _is_made_up(request: Request) -> bool:
    """Say whether what is served is the demo, whose figures are nobody's."""
    served = request.scope.get("app")
    return served is not None and getattr(served.state, "illustrative", False)


def _compressed(request: Request, text: bytes) -> Response:
    if len(text) < COMPRESSED_FROM or not takes_gzip(request):
        return Response(text, media_type="text/html")
    shorter = gzip.compress(text, GZIP_LEVEL, mtime=0)
    return Response(shorter, headers={"Content-Encoding": "gzip"}, media_type="text/html")


def _toggle(request: Request, language: Language) -> str:
    """Return the address of this same page in ``language``.

    What a form was answered with has no address: there it is the page that the form stands on.
    """
    path, parameters = "", request.query_params.multi_items()
    if request.method == "POST":
        form = urlsplit(request.headers.get("referer", ""))
        if form.netloc == request.url.netloc and not form.path.startswith("//"):
            path, parameters = form.path, parse_qsl(form.query)
    others = [(name, each) for name, each in parameters if name != NAME]
    return f"{path}?{urlencode([*others, (NAME, language)])}"


def render(name: str, language: Language, **context: Any) -> str:
    """Fill a template."""
    return _templates(language).get_template(name).render(lang=language, **context)


@cache
def _templates(language: Language) -> Environment:
    templates = Environment(
        loader=ChoiceLoader([PackageLoader(f"api.pages.{wing}") for wing in WINGS]),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.install_gettext_translations(words(language), newstyle=True)  # type: ignore[attr-defined]  # The extension adds it.
    templates.policies["ext.i18n.trimmed"] = True
    templates.globals.update(static=address, tag=TAGS[language], query=_query, **LABELS)
    templates.globals.update(globals_in(language))
    templates.filters.update(
        yuan=signed,
        count="{:,}".format,
        day=partial(format_date, format="long", locale=language),
        moment=moment,
        json=_json,
        percent=percent,
    )
    return templates


def signed(fen: int) -> str:
    """Write an amount as a page shows it: exact to the fen, with a minus that is one.

    >>> signed(-123_456)
    '−1,234.56'

    """
    return yuan(fen).replace("-", "−")


def percent(basis_points: int) -> str:
    """Write a rate of so many basis points.

    >>> percent(150), percent(60), percent(200)
    ('1.5 %', '0.6 %', '2 %')

    """
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + " %"


def moment(at: datetime) -> str:
    """Write an instant as the clock on the wall shows it.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 3, 8, 12, 12, 38, tzinfo=UTC))
    '2026-03-08 20:12:38'

    """
    return f"{at.astimezone(BUSINESS_ZONE):%Y-%m-%d %H:%M:%S}"


def _query(**parameters: date | str | int | None) -> str:
    """Return the part of an address that filters, of what is given."""
    return query_of(parameters)


def query_of(parameters: Mapping[str, date | str | int | None]) -> str:
    """Return the part of an address that says ``parameters``, without those that are None."""
    return "?" + urlencode({name: value for name, value in parameters.items() if value is not None})


def _json(thing: Any) -> Markup:
    """Write data into a script element, from which it cannot break out."""
    text = msgspec.json.encode(thing).decode()
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return Markup(text)  # noqa: S704  # Every mark that HTML knows is gone.
