"""The authenticated caller of a request."""

from __future__ import annotations

from msgspec import Struct

from ledger.kernel.names import DonorId, PersonId, SaleId
from ledger.kernel.roles import Role


class Caller(Struct, frozen=True):
    """A person authenticated by a token or a session.

    Attributes:
        person: Opaque id.
        roles: What they may act as.
        donor: Whose pledges the role of donor means.
        sale: Which sale the role of partner means.

    """

    person: PersonId
    roles: frozenset[Role]
    donor: DonorId | None = None
    sale: SaleId | None = None
