"""A provider, spoken with over HTTP: where it is, what a code is worth, and by which keys it signs.

It is asked at the addresses that its own discovery document names (OpenID Connect Discovery 1.0),
which is fetched from the configured issuer and nowhere else: no redirect is followed.
"""

from __future__ import annotations

import logging
from asyncio import Lock, timeout
from datetime import datetime
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import quote_plus

import httpx2
import msgspec
from msgspec import Struct

from api.sso.id_token import ClaimsAsked, proven
from api.sso.refusals import IdentityNotProven, ProviderAway
from api.sso.settings import Settings, is_safe
from api.sso.sign_in_state import AuthorizationRequest
from ledger.people.external_identities import ExternalIdentity

T = TypeVar("T")

LOG = logging.getLogger(__name__)

ANSWER_S = 5.0
"""Seconds in which a provider has answered to the end, or is taken to be away."""

ANSWER_BYTES_MAX = 256 * 1024
"""Bytes of an answer; a key set has a few thousand."""

KEPT_S = 300.0
"""Seconds for which a discovery document is believed."""

WELL_KNOWN = "/.well-known/openid-configuration"

OK, BAD_REQUEST = 200, 400

BASIC, POST = "client_secret_basic", "client_secret_post"


class Metadata(Struct, frozen=True):
    """The fields of a discovery document (Discovery §3) that are needed."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = (BASIC,)
    authorization_response_iss_parameter_supported: bool = False


class Tokens(Struct, frozen=True):
    """A token response (Core §3.1.3.3); the access token is not used."""

    id_token: str


class TokenError(Struct, frozen=True):
    """An error response to a code (RFC 6749 §5.2)."""

    error: str


class Provider:
    """The provider that people may sign in at.

    Attributes:
        settings: Which it is.

    """

    def __init__(self, settings: Settings, *, answer_s: float = ANSWER_S) -> None:
        """Speak with the provider of ``settings``, which has ``answer_s`` to answer in."""
        self.settings = settings
        self._answer_s = answer_s
        self._tls = httpx2.create_ssl_context()
        self._turn = Lock()
        self._metadata: Metadata | None = None
        self._until = 0.0
        self._said = ""

    async def address(self, request: AuthorizationRequest) -> str:
        """Return where to send a browser whose owner leaves to sign in (Core §3.1.2.1)."""
        metadata = await self._found()
        parameters = {
            "response_type": "code",
            "scope": "openid",
            "client_id": self.settings.client,
            "redirect_uri": self.settings.redirect_uri,
            "state": request.state,
            "nonce": request.nonce,
            "code_challenge": request.challenge,
            "code_challenge_method": "S256",
        }
        return str(httpx2.URL(metadata.authorization_endpoint).copy_merge_params(parameters))

    async def identity(
        self, code: str, issuer: str | None, request: AuthorizationRequest, at: datetime
    ) -> ExternalIdentity:
        """Return who came back.

        Args:
            code: What they brought.
            issuer: Who sent them, if that was said; another is refused (RFC 9207 §2.4).
            request: The one that this browser began with.
            at: This moment.

        """
        metadata = await self._found()
        if issuer is None and metadata.authorization_response_iss_parameter_supported:
            raise IdentityNotProven("it is not said who sent them back")
        if issuer not in {None, metadata.issuer}:
            raise IdentityNotProven("another issuer sent them back")
        tokens = await self._redeemed(metadata, code, request.verifier)
        _, keys = await self._ask("GET", metadata.jwks_uri)
        claimed = ClaimsAsked(metadata.issuer, self.settings.client, request.nonce)
        return proven(tokens.id_token, keys, claimed, at)

    async def _redeemed(self, metadata: Metadata, code: str, verifier: str) -> Tokens:
        """Have a code redeemed, which the provider does once (RFC 6749 §4.1.3, RFC 7636 §4.5)."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.settings.redirect_uri,
            "code_verifier": verifier,
        }
        client, secret = self.settings.client, self.settings.secret
        options: dict[str, Any] = {"data": form}
        if BASIC in metadata.token_endpoint_auth_methods_supported:
            # Each is encoded as in a form before they are put together (RFC 6749 §2.3.1).
            options["auth"] = httpx2.BasicAuth(quote_plus(client), quote_plus(secret))
        else:
            form |= {"client_id": client, "client_secret": secret}
        status, answer = await self._ask("POST", metadata.token_endpoint, **options)
        if status == OK:
            return self._decoded(answer, Tokens)
        fault = self._decoded(answer, TokenError).error
        if fault == "invalid_grant":
            raise IdentityNotProven("the code is worth nothing, or no longer")
        raise self._away(f"it answers {status} to a code")

    async def _found(self) -> Metadata:
        """Return the discovery document; one request fetches it, and others wait for that."""
        if self._metadata is None or monotonic() >= self._until:
            try:
                async with timeout(self._answer_s), self._turn:
                    if self._metadata is None or monotonic() >= self._until:
                        self._metadata = await self._discovered()
                        self._until = monotonic() + KEPT_S
            except TimeoutError:
                raise self._away("it does not answer") from None
        return self._metadata

    async def _discovered(self) -> Metadata:
        issuer = self.settings.issuer
        _, answer = await self._ask("GET", issuer.rstrip("/") + WELL_KNOWN)
        metadata = self._decoded(answer, Metadata)
        if metadata.issuer != issuer:  # Discovery §4.3: "MUST be identical".
            raise self._away("it calls itself another issuer than the one that is configured")
        if not all(
            map(
                is_safe,
                (metadata.authorization_endpoint, metadata.token_endpoint, metadata.jwks_uri),
            )
        ):
            raise self._away("it has an address that others can listen to")
        return metadata

    async def _ask(self, method: str, url: str, **options: Any) -> tuple[int, bytes]:
        """Return the status and body of an answer, bounded in time and size."""
        body = bytearray()
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        try:
            async with (
                timeout(self._answer_s),
                httpx2.AsyncClient(verify=self._tls, timeout=self._answer_s) as http,
                http.stream(method, url, headers=headers, **options) as answer,
            ):
                async for piece in answer.aiter_raw():
                    body += piece
                    if len(body) > ANSWER_BYTES_MAX:
                        raise self._away("it says more than anybody reads")
        except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL) as fault:
            raise self._away(f"it does not answer: {type(fault).__name__}") from None
        if answer.status_code != OK and method == "GET":
            raise self._away(f"it answers {answer.status_code}")
        return answer.status_code, bytes(body)

    def _decoded(self, answer: bytes, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(answer, type=kind)
        except msgspec.MsgspecError:
            raise self._away(f"its answer is not the JSON of {kind.__name__}") from None

    def _away(self, fact: str) -> ProviderAway:
        """Return the refusal, and tell whoever runs the server, once while nothing changes."""
        if fact != self._said:
            LOG.warning("sign-in at %s: %s", self.settings.issuer, fact)
        self._said = fact
        return ProviderAway(fact)
