"""The state of a sign-in under way, which the browser holds in a sealed cookie.

It is sealed, so that only this charity's servers read one and nobody else writes one; nothing is
kept here of strangers who begin and never come back. It is good for ten minutes.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TypeVar

import msgspec
from msgspec import Struct

from ledger.kernel.errors import LedgerError
from ledger.kernel.names import PersonId
from ledger.people.sealing import VaultError, seal_bytes, unseal_bytes
from ledger.people.vault import Vault

T = TypeVar("T", "AuthorizationRequest", "SecondFactorPending")

GOOD_FOR = timedelta(minutes=10)
"""Time to sign in at the provider, or to find the telephone."""

_KEY = b"sign-in/slips"

_BOX = "sign-in-slip"


class SignInExpired(LedgerError):
    """Whoever comes back left from this very browser, a few minutes ago."""


class AuthorizationRequest(Struct, frozen=True):
    """An authorization request (RFC 6749 §4.1.1): its owner is at the provider.

    Attributes:
        at: When.
        destination: Where they want to go afterwards.
        invitation: The code that they are to be bound by, if they are not yet.
        state: Comes back with them, so that nobody is sent back who never left (RFC 6749 §10.12).
        nonce: Comes back in the id token, so that it was made for this sign-in (Core §3.1.2.1).
        verifier: By which a code is worth something to this browser alone (RFC 7636 §4.1).

    """

    at: datetime
    destination: str
    invitation: str | None
    state: str
    nonce: str
    verifier: str

    @property
    def challenge(self) -> str:
        """The code challenge of the verifier (RFC 7636 §4.2, S256).

        >>> from datetime import UTC, datetime
        >>> example = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
        >>> AuthorizationRequest(datetime.now(UTC), "/", None, "", "", example).challenge
        'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

        """
        digest = sha256(self.verifier.encode()).digest()
        return urlsafe_b64encode(digest).decode().rstrip("=")


class SecondFactorPending(Struct, frozen=True):
    """The provider signed somebody in, who still owes the code of their second factor.

    Attributes:
        at: When.
        destination: Where they want to go afterwards.
        person: Who they are.

    """

    at: datetime
    destination: str
    person: PersonId


State = AuthorizationRequest | SecondFactorPending
"""The state that a browser may hold between two steps."""


def new_request(at: datetime, destination: str, invitation: str | None) -> AuthorizationRequest:
    """Return a new request, with 256 random bits for each purpose."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return AuthorizationRequest(at, destination, invitation, state, nonce, verifier)


def written(vault: Vault, state: State) -> str:
    """Return a state as a browser holds it."""
    box = seal_bytes(vault.derived(_KEY), msgspec.json.encode(state), _BOX, type(state).__name__)
    return urlsafe_b64encode(box).decode()


def read(vault: Vault, text: str, kind: type[T], at: datetime) -> T:
    """Return the state that a browser holds; refuse one that expired, or is of another kind."""
    try:
        box = urlsafe_b64decode(text.encode())
        content = unseal_bytes(vault.derived(_KEY), box, _BOX, kind.__name__)
    except (VaultError, ValueError):
        raise SignInExpired("this browser holds no state of a sign-in") from None
    state: T = msgspec.json.decode(content, type=kind)
    if at - state.at > GOOD_FOR:
        raise SignInExpired("it took too long")
    return state
