"""People who are signed in with a browser, or with something that speaks like one."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

import httpx2

from ledger.kernel.roles import Role
from tests.server import ANSWER_S, TLS, Server

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


def session_of(server: Server, name: str, *roles: Role) -> str:
    """Sign somebody in, who has these roles from now on; return what their browser shows."""
    now = datetime.now(UTC)
    person = server.identity.users.enrol(name, roles, now)
    return server.identity.sessions.begin(person, now, with_second_factor=True)


def cookies(secret: str, language: str) -> dict[str, Any]:
    """Return what a browser has stored that signed in and chose a language."""
    values = {"session": secret, "lang": language}
    stored = [_cookie(name, value) for name, value in values.items()]
    return {"cookies": stored, "origins": []}


def _cookie(name: str, value: str) -> dict[str, Any]:
    where = {"domain": "127.0.0.1", "path": "/", "expires": -1}
    how = {"httpOnly": True, "secure": False, "sameSite": "Lax"}
    return {"name": name, "value": value} | where | how


class Visitor:
    """Somebody who reads pages and sends their forms."""

    def __init__(self, server: Server, name: str, *roles: Role) -> None:
        secret = session_of(server, name, *roles)
        self.http = httpx2.Client(
            base_url=server.url,
            cookies={"session": secret, "lang": "en"},
            headers={"Accept": "text/html", "Origin": server.url},
            timeout=ANSWER_S,
            verify=TLS,
        )

    def open(self, path: str) -> httpx2.Response:
        """Ask for a page."""
        return self.http.get(path)

    def read(self, path: str) -> str:
        """Open a page and return it."""
        answer = self.open(path)
        assert answer.status_code == 200, answer.text
        text: str = answer.text
        return text

    def send(self, path: str, **fields: str) -> httpx2.Response:
        """Send a form."""
        return self.http.post(path, data=fields)


def hidden(page: str) -> dict[str, str]:
    """Return what a form of a page carries with it; of several, the last."""
    return {name: unescape(value) for name, value in HIDDEN.findall(page)}
