"""Slips: what a browser holds while somebody is between two steps of signing in.

A slip is sealed, so that only this charity's servers read one and nobody else writes one; nothing
is kept here of strangers who begin and never come back. It is good for ten minutes.
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

T = TypeVar("T", bound="Left | CameBack")

GOOD_FOR = timedelta(minutes=10)
"""Time to sign in at the provider, or to find the telephone."""

_KEY = b"sign-in/slips"

_SLIP = "sign-in-slip"


class SlipOver(LedgerError):
    """Whoever comes back left from this very browser, a few minutes ago."""


class Left(Struct, frozen=True):
    """Somebody left for the provider.

    Attributes:
        at: When.
        wanted: Where they want to go afterwards.
        invitation: The code that they are to be bound by, if they are not yet.
        state: Comes back with them, so that nobody is sent back who never left (RFC 6749 §10.12).
        nonce: Comes back in the id token, so that it was made for this sign-in (Core §3.1.2.1).
        verifier: By which a code is worth something to this browser alone (RFC 7636 §4.1).

    """

    at: datetime
    wanted: str
    invitation: str | None
    state: str
    nonce: str
    verifier: str

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier (RFC 7636 §4.2, S256).

        >>> from datetime import UTC, datetime
        >>> example = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636, appendix B
        >>> Left(datetime.now(UTC), "/", None, "", "", example).challenge
        'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

        """
        digest = sha256(self.verifier.encode()).digest()
        return urlsafe_b64encode(digest).decode().rstrip("=")


class CameBack(Struct, frozen=True):
    """Somebody came back, and still owes the code of their second factor.

    Attributes:
        at: When.
        wanted: Where they want to go afterwards.
        person: Who they are.

    """

    at: datetime
    wanted: str
    person: PersonId


def leaving(at: datetime, wanted: str, invitation: str | None) -> Left:
    """Return the slip of somebody who leaves, with 256 random bits for each purpose."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    return Left(at, wanted, invitation, state, nonce, verifier)


def written(vault: Vault, slip: Left | CameBack) -> str:
    """Return a slip as a browser holds it."""
    box = seal_bytes(vault.derived(_KEY), msgspec.json.encode(slip), _SLIP, type(slip).__name__)
    return urlsafe_b64encode(box).decode()


def read(vault: Vault, text: str, kind: type[T], at: datetime) -> T:
    """Return the slip that a browser shows; refuse one that is over, or of another kind."""
    try:
        box = urlsafe_b64decode(text.encode())
        said = unseal_bytes(vault.derived(_KEY), box, _SLIP, kind.__name__)
    except (VaultError, ValueError):
        raise SlipOver("there is no slip") from None
    slip = msgspec.json.decode(said, type=kind)
    if at - slip.at > GOOD_FOR:
        raise SlipOver("it took too long")
    return slip
