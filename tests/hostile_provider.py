"""A provider that lies when it is told to, as a real HTTP server; else it is honest and strict."""

from __future__ import annotations

import json
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_urlsafe
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.registry import HeaderParameter

CLIENT, SECRET = "the ledger", "a secret: with / and +"

BITS = 2048

RSA = RSAKey.generate_key(BITS, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
OTHERS = RSAKey.generate_key(BITS, {"kid": "rsa", "use": "sig"})
SHARED = OctKey.import_key(SECRET)

PUBLISHED = [
    {"kty": "of the future", "kid": "new"},
    EC.as_dict(private=False),
    RSA.as_dict(private=False) | {"kid": "for encryption", "use": "enc"},
    RSA.as_dict(private=False),
]
"""Also keys that nobody here knows what to do with."""


class HostileProvider:
    """What it does, and what it was asked.

    Attributes:
        issuer: Its address.
        metadata: What its discovery document says in place of the truth.
        claims: What its id tokens say in place of the truth; ``None`` is left out.
        header: What their heads say.
        key: What they are signed with.
        answers: Status, headers and body by path, in place of what belongs there.
        back: What it sends people back with, besides code and state.
        request: Each form that was sent for a token.

    """

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.codes: dict[str, dict[str, str]] = {}
        self.be_honest()

    def be_honest(self) -> None:
        """Forget all lies."""
        self.metadata: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "rsa"}
        self.key: Key = RSA
        self.answers: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.back: dict[str, str] = {}
        self.forms: list[dict[str, str]] = []

    def document(self) -> Mapping[str, Any]:
        """Return the discovery document."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=one",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
        } | self.metadata

    def authorize(self, request: dict[str, str]) -> str:
        """Take whoever comes for ``somebody``, at once; return where they are sent back to."""
        code = token_urlsafe()
        self.codes[code] = request
        answer = {"code": code, "state": request["state"]} | self.back
        return f"{request['redirect_uri']}?{urlencode(answer)}"

    def redeem(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, str]]:
        """Give a token for a code: once, to this client, and to whoever has its verifier."""
        self.forms.append(form)
        scheme, _, pair = authorization.partition(" ")
        credentials = tuple(map(unquote_plus, b64decode(pair).decode().split(":")))
        if scheme != "Basic":
            credentials = (form.get("client_id", ""), form.get("client_secret", ""))
        if credentials != (CLIENT, SECRET):
            return 401, {"error": "invalid_client"}
        request = self.codes.pop(form["code"], None)
        digest = sha256(form["code_verifier"].encode()).digest()
        challenge = urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            request is None
            or request["code_challenge"] != challenge
            or request["redirect_uri"] != form["redirect_uri"]
        ):
            return 400, {"error": "invalid_grant"}
        return 200, {"token_type": "Bearer", "access_token": "x", "id_token": self._token(request)}

    def _token(self, request: Mapping[str, str]) -> str:
        now = int(time.time())
        everything = {
            "iss": self.issuer,
            "sub": "somebody",
            "aud": CLIENT,
            "nonce": request["nonce"],
            "iat": now,
            "exp": now + 300,
        } | self.claims
        claims = {name: value for name, value in everything.items() if value is not None}
        for name, value in claims.items():
            if isinstance(value, timedelta):  # From now.
                claims[name] = now + int(value.total_seconds())
        if self.header["alg"] == "none":
            parts = (json.dumps(each).encode() for each in (self.header, claims))
            head, body = (urlsafe_b64encode(each).decode().rstrip("=") for each in parts)
            return f"{head}.{body}."
        known = {"of the future": HeaderParameter("what nobody here knows", "int")}
        registry = JWSRegistry(known, [self.header["alg"]])
        return jwt.encode(dict(self.header), claims, self.key, registry=registry)


class _Handler(BaseHTTPRequestHandler):
    provider: HostileProvider

    def do_GET(self) -> None:
        path, request = self._asked()
        if path in self.provider.answers:
            self._answer(*self.provider.answers[path])
        elif path == "/.well-known/openid-configuration":
            self._json(200, self.provider.document())
        elif path == "/keys":
            self._json(200, {"keys": PUBLISHED})
        else:
            self._answer(302, {"Location": self.provider.authorize(request)}, b"")

    def do_POST(self) -> None:
        path, _ = self._asked()
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if path in self.provider.answers:
            self._answer(*self.provider.answers[path])
            return
        form = {name: values[0] for name, values in parse_qs(body).items()}
        self._json(*self.provider.redeem(form, self.headers.get("Authorization", "")))

    def _asked(self) -> tuple[str, dict[str, str]]:
        parts = urlsplit(self.path)
        return parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}

    def _json(self, status: int, content: Any) -> None:
        self._answer(status, {"Content-Type": "application/json"}, json.dumps(content).encode())

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def hostile_provider() -> Iterator[HostileProvider]:
    """Serve it from a thread, so that a test can tell it what to say."""
    handler = type("Handler", (_Handler,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        provider = HostileProvider(f"http://127.0.0.1:{server.server_port}")
        handler.provider = provider  # type: ignore[attr-defined]  # Made a line above.
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
