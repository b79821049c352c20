"""What people show to come in: tokens, cookies of sessions, invitations and codes."""

from __future__ import annotations

import atexit
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pyotp

from ledger.kernel.names import PersonId
from ledger.kernel.roles import Role
from ledger.people.identity import Identity
from ledger.people.passwords import InvitationOver
from ledger.people.second_factors import DRIFT_STEPS, STEP_S

AT = datetime(2026, 4, 1, 4, tzinfo=UTC)
LATER = AT + timedelta(seconds=10 * STEP_S)


class House(NamedTuple):
    """A register with somebody in it, and the codes that are good ``LATER``."""

    identity: Identity
    person: PersonId
    codes: frozenset[str]


def _house() -> House:
    folder = TemporaryDirectory(prefix="leifeng-fuzz-people-")
    atexit.register(folder.cleanup)
    identity = Identity(Path(folder.name) / "people.db", Path(folder.name) / "vault.key")
    person = identity.users.enrol("somebody", [Role.CASHIER], AT)
    identity.create_token("somebody", [Role.CASHIER], at=AT)
    identity.sessions.begin(person, AT)
    identity.passwords.invite(person, AT)
    shows = pyotp.TOTP(identity.second_factors.begin(person), interval=STEP_S)
    recovery = identity.second_factors.confirm(person, shows.at(AT), AT)
    now = int(LATER.timestamp()) // STEP_S
    steps = range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1)
    return House(identity, person, frozenset([*recovery, *map(shows.generate_otp, steps)]))


_OPEN: list[House] = []


def shown(data: bytes) -> None:
    """Show anything, in place of a token, a cookie, an invitation and a code: it opens nothing."""
    if not _OPEN:
        _OPEN.append(_house())  # Only for whoever fuzzes this.
    identity, person, codes = _OPEN[0]
    as_header, as_field = data.decode("latin-1"), data.decode(errors="replace")
    assert identity.caller(as_header) is None
    assert identity.sessions.signed_in(as_header, LATER) is None
    with suppress(InvitationOver):
        identity.passwords.invited(as_field, LATER)
        raise AssertionError("an invitation was made up")
    if "".join(as_field.split()).lower() not in codes:
        assert not identity.second_factors.is_shown(person, as_field, LATER)
