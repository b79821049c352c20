"""The parts that a running server is made of; ``api.app`` puts them together."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Engine

from api.processes.self_check import SelfCheck
from ledger.commands import Ledger
from ledger.commands.outbox import Outbox
from ledger.people.identity import Identity
from ledger.people.refusals import Refusals
from projections.kernel.follow import Follower
from projections.log.cosigning import Cosigning
from projections.log.keeper import Keeper
from projections.log.log import Log


class Site(NamedTuple):
    """The parts that a running server is made of."""

    ledger: Ledger
    identity: Identity
    views: Engine
    follower: Follower
    refusals: Refusals
    log: Log
    keeper: Keeper
    cosigning: Cosigning
    check: SelfCheck
    outbox: Outbox
