"""/docs: a page that shows the API, for people who would rather click than read JSON.

It is FastAPI's own, whose scripts come from where FastAPI says. No other answer may load anything
from anywhere; this one may load just those.
"""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from urllib.parse import urlsplit

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse

_SOURCES = re.compile(r'(?:src|href)="(https://[^"]+)"')
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def install(app: FastAPI) -> None:
    """Show the API at /docs."""
    page = get_swagger_ui_html(openapi_url="/openapi.json", title=app.title)
    page.headers["Content-Security-Policy"] = policy_of(bytes(page.body).decode())

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return page


def policy_of(page: str) -> str:
    """Return the policy that lets a page run what stands in it, load what it names, and no more."""
    origins = " ".join(
        sorted({"https://" + urlsplit(each).netloc for each in _SOURCES.findall(page)})
    )
    own = " ".join(
        f"'sha256-{b64encode(sha256(each.encode()).digest()).decode()}'"
        for each in _SCRIPT.findall(page)
    )
    return (
        f"default-src 'none'; script-src {own} {origins}; style-src 'unsafe-inline' {origins};"
        f" img-src data: {origins}; connect-src 'self'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    )
