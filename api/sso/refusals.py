"""Refusals of sign-ins through a provider."""

from __future__ import annotations

from ledger.kernel.errors import LedgerError


class ProviderAway(LedgerError):
    """Whoever signs in at a provider needs it there, answering as OpenID Connect has it."""


class IdentityNotProven(LedgerError):
    """Who somebody is at the provider is proven by a token that was made for this very sign-in."""


class NotInstalled(LedgerError):
    """People sign in at a provider where the extra named sso is installed."""

    def __init__(self, missing: str | None) -> None:
        super().__init__(
            f"there is no {missing} here, which --sso needs: pip install leifeng-ledger[sso]"
        )
