"""Settings of the OpenID provider, and of our client there.

``leifeng serve --sso NAME=VALUE`` says it, or ``LEIFENG_SSO_NAME``. The secret stands in a file
that is named, or in the environment; never on a command line, which everybody on a machine can
read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from ledger.kernel.errors import LedgerError

PREFIX = "LEIFENG_SSO_"

ON_THE_LINE = ("issuer", "client", "address", "name", "secret-file")
"""What can be said as an option."""

NEEDED = ("issuer", "client", "address", "secret")

CALLBACK = "/sign-in/sso/callback"
"""Where the provider sends people back to."""

NAME_MAX = 60
"""Characters of the name that a button shows."""


class SettingWrong(LedgerError):
    """A provider of sign-in is named whole, or not at all."""


@dataclass(frozen=True)
class Settings:
    """A provider, and what this site is to it.

    Attributes:
        issuer: The provider's address, by which it calls itself.
        client: What it calls this site.
        address: This site's own, as browsers know it.
        name: What people call the provider.
        secret: By which it knows this site.

    """

    issuer: str
    client: str
    address: str
    name: str
    secret: str = field(repr=False)

    @property
    def redirect_uri(self) -> str:
        """The redirection endpoint; the provider compares it letter by letter."""
        return f"{self.address}{CALLBACK}"

    @classmethod
    def of(cls, environment: Mapping[str, str], overrides: Iterable[str] = ()) -> Self | None:
        """Return the environment's settings with ``overrides`` over them; None if there are none.

        >>> around = {"LEIFENG_SSO_CLIENT": "ledger", "LEIFENG_SSO_SECRET": "s3cret"}
        >>> overrides = ["issuer=https://id.example/", "address=https://ledger.example"]
        >>> Settings.of(around, overrides).redirect_uri
        'https://ledger.example/sign-in/sso/callback'

        """
        values = _found(environment, overrides)
        if not values:
            return None
        if "secret-file" in values:
            values["secret"] = Path(values["secret-file"]).read_text(encoding="utf-8").strip()
        lacking = [name for name in NEEDED if not values.get(name)]
        if lacking:
            raise SettingWrong(f"sso lacks {', '.join(lacking)}")
        issuer = _address("issuer", values["issuer"])
        address = _address("address", values["address"]).rstrip("/")
        if urlsplit(address).path:
            raise SettingWrong("sso address is a scheme and a host, such as https://ledger.example")
        name = values.get("name") or urlsplit(issuer).hostname or ""
        if not name.isprintable() or len(name) > NAME_MAX:
            raise SettingWrong(f"sso name is 1 to {NAME_MAX} characters that can be seen")
        return cls(issuer, values["client"], address, name, values["secret"])


def _found(environment: Mapping[str, str], overrides: Iterable[str]) -> dict[str, str]:
    known = {name: PREFIX + name.upper().replace("-", "_") for name in (*ON_THE_LINE, "secret")}
    values = {name: environment[key] for name, key in known.items() if environment.get(key)}
    for each in overrides:
        name, _, value = each.partition("=")
        if name == "secret":
            raise SettingWrong("a secret on a command line is none: use --sso secret-file=PATH")
        if name not in ON_THE_LINE:
            raise SettingWrong(f"there is no sso {name}; there are {', '.join(ON_THE_LINE)}")
        values[name] = value
    return values


def _address(name: str, url: str) -> str:
    if not is_safe(url) or set("?#@") & set(url):
        raise SettingWrong(f"sso {name} is an address of https, or of http on this very machine")
    return url


def is_safe(url: str) -> bool:
    """Say whether nobody on the way can read along, as RFC 9700 §2.6 wants it.

    >>> is_safe("https://id.example"), is_safe("http://id.example"), is_safe("http://[::1]:8080/")
    (True, False, True)

    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    return host == "localhost" or ip_address(host).is_loopback
