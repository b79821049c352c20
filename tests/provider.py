"""A provider of OpenID Connect in a process of its own: oidc-provider-mock, on Authlib."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from api.sso.settings import CALLBACK
from tests.api.pages.test_sign_in import SAME
from tests.server import ANSWER_S, START_S, STOP_S, TLS, Server, free_port

ADDRESS = "https://ledger.example"
"""What browsers know the ledger by: a proxy that stands before it, as ``Browser`` does here."""


class Provider:
    """A provider that this site is registered with."""

    def __init__(self, issuer: str, address: str) -> None:
        self.issuer, self.address = issuer, address
        client = {"redirect_uris": [f"{address}{CALLBACK}"]}
        known = httpx2.post(
            f"{issuer}/oauth2/clients", json=client, timeout=ANSWER_S, verify=TLS
        ).json()
        self.client, self.secret = known["client_id"], known["client_secret"]

    def options(self, secret_file: Path) -> list[str]:
        """Return what ``leifeng serve`` is told of it."""
        secret_file.write_text(f"{self.secret}\n", encoding="ascii")
        return sso(
            issuer=self.issuer,
            client=self.client,
            address=self.address,
            name="星火ID",
            **{"secret-file": secret_file},
        )


def sso(**settings: object) -> list[str]:
    """Return options that name a provider."""
    return [word for name, value in settings.items() for word in ("--sso", f"{name}={value}")]


@contextmanager
def provider(address: str = ADDRESS) -> Iterator[Provider]:
    """Start the provider, which wants clients to be registered and a nonce in every request.

    The ledger at ``address`` is registered.
    """
    port = free_port()
    words = ("--port", str(port), "--require-registration", "--require-nonce")
    process = subprocess.Popen(  # noqa: S603  # Our own choice of words.
        [sys.executable, "-m", "oidc_provider_mock", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    issuer = f"http://127.0.0.1:{port}"
    try:
        _wait_until_it_answers(process, issuer)
        yield Provider(issuer, address)
    finally:
        process.terminate()
        process.wait(STOP_S)


def _wait_until_it_answers(process: subprocess.Popen[bytes], issuer: str) -> None:
    deadline = time.monotonic() + START_S
    while True:
        assert process.poll() is None, "the provider has ended"
        assert time.monotonic() < deadline, "no provider"
        try:
            httpx2.get(f"{issuer}/.well-known/openid-configuration", timeout=ANSWER_S, verify=TLS)
        except httpx2.TransportError:
            time.sleep(0.02)  # It is only just starting; asking faster would slow it.
        else:
            return


class Browser:
    """Somebody's browser, and the proxy by which it comes to the ledger."""

    def __init__(self, server: Server) -> None:
        self.http = httpx2.Client(base_url=server.url, timeout=ANSWER_S, headers=SAME, verify=TLS)

    def leave(self, path: str = "/sign-in/sso", **fields: str) -> str:
        """Press the button; return where that leads."""
        answer = self.http.post(path, data=fields)
        assert answer.status_code == 200, answer.text
        (there,) = re.findall(r'<meta http-equiv="refresh" content="0; url=([^"]+)">', answer.text)
        return there.replace("&amp;", "&")

    def sign_in_there(self, there: str, subject: str, **fields: str) -> str:
        """Sign in at the provider; return where it sends the browser."""
        answer = httpx2.post(there, data={"sub": subject} | fields, timeout=ANSWER_S, verify=TLS)
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])

    def come_back(self, back: str) -> httpx2.Response:
        """Follow the provider to the ledger: from a page of others, as browsers say."""
        sent = urlsplit(back)
        assert f"{sent.scheme}://{sent.netloc}" == ADDRESS
        return self.http.get(f"{sent.path}?{sent.query}", headers={"Sec-Fetch-Site": "cross-site"})

    def sign_in(self, subject: str, path: str = "/sign-in/sso", **fields: str) -> httpx2.Response:
        """Do all of it."""
        return self.come_back(self.sign_in_there(self.leave(path, **fields), subject))

    @property
    def is_signed_in(self) -> bool:
        """The ledger takes the browser for somebody."""
        return self.http.get("/account").status_code == 200
