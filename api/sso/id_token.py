"""An id token: by which a provider says who signed in, for whom, and for which sign-in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, GuestProtocol, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry
from msgspec import Struct

from api.sso.refusals import IdentityNotProven, ProviderAway
from ledger.people.external_identities import ExternalIdentity

ALGORITHMS: Mapping[str, type[RSAKey | ECKey]] = {
    "RS256": RSAKey,
    "PS256": RSAKey,
    "ES256": ECKey,
}
"""Signatures by keys that the provider publishes, and the kind of key of each.

Not ``none``, and not HS256, whose key is a secret that others may have (RFC 8725 §3.1, §3.2).
"""

_SIGNED = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
"""What is not known of a head is passed over, unless it is called critical (RFC 7515 §4)."""

LEEWAY_S = 60
"""Seconds that the provider's clock may be off."""

SUBJECT_MAX = 255
"""ASCII characters of a subject (Core §2)."""


class KeySet(Struct, frozen=True):
    """The keys that a provider publishes (RFC 7517 §5)."""

    keys: Sequence[dict[str, Any]]


def proven(token: str, keys: bytes, claimed: ClaimsAsked, at: datetime) -> ExternalIdentity:
    """Return who an id token proves somebody to be (Core §3.1.3.7).

    Args:
        token: As the provider gave it.
        keys: The key set that it publishes.
        claimed: What has to stand in the token.
        at: This moment.

    """
    try:
        published = msgspec.json.decode(keys, type=KeySet).keys
    except msgspec.MsgspecError:
        raise ProviderAway("its keys are no key set") from None

    def key_of(signed: GuestProtocol) -> RSAKey | ECKey:
        return _key(signed.headers(), published)

    try:
        claims = jwt.decode(token, key_of, registry=_SIGNED).claims
        claimed.registry(at).validate(claims)
    except (JoseError, ValueError, TypeError) as fault:  # The last, of keys that are none.
        raise IdentityNotProven(f"the id token does not hold: {type(fault).__name__}") from None
    return ExternalIdentity(claimed.issuer, claimed.subject(claims))


class ClaimsAsked(Struct, frozen=True):
    """The claims that a token must have.

    Attributes:
        issuer: Who made it.
        client: For whom.
        nonce: For which sign-in.

    """

    issuer: str
    client: str
    nonce: str

    def registry(self, at: datetime) -> JWTClaimsRegistry:
        """Return what checks it: each claim is there, is in time, and is the one that is meant."""
        return JWTClaimsRegistry(
            now=int(at.timestamp()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client},
            nonce={"essential": True, "value": self.nonce},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )

    def subject(self, claims: dict[str, Any]) -> str:
        """Return whom a token is about that was checked; refuse one that others may use as well."""
        others = isinstance(claims["aud"], list) and claims["aud"] != [self.client]
        if claims.get("azp", None if others else self.client) != self.client:
            raise IdentityNotProven("the id token was made for others")
        subject = claims["sub"]
        if not (isinstance(subject, str) and subject.isascii() and len(subject) <= SUBJECT_MAX):
            raise IdentityNotProven("the subject is empty")
        return subject


def _key(header: dict[str, Any], published: Sequence[dict[str, Any]]) -> RSAKey | ECKey:
    """Return the key that a token says it was signed by, among those that are published.

    Keys of kinds that are not known are passed over (RFC 7517 §5), and so are keys for encryption.
    A token need not name its key where there is but one of the kind (Core §10.1).
    """
    kind, name = ALGORITHMS[header["alg"]], header.get("kid")
    of_the_kind = [
        each
        for each in published
        if each.get("kty") == kind.key_type and each.get("use", "sig") == "sig"
    ]
    candidates = [each for each in of_the_kind if name is None or each.get("kid") == name]
    if len(candidates) != 1:
        raise IdentityNotProven("the id token is signed by no key that is published")
    return kind.import_key(candidates[0])
