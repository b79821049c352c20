"""Files that others wrote: an auditor's bundle, a rule to replay by, keys; and words of a command.

They are read in the folder of one process, where each takes the place of the one before.
"""

from __future__ import annotations

import atexit
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from api.cli.replay import read_rule
from api.gate.limits import Limits
from ledger.kernel.errors import LedgerError
from ledger.kernel.money import AMOUNT_MAX
from ledger.kernel.strict_json import fault_of
from ledger.people.keys import KeyFile
from ledger.transparency.note import Signer
from projections.audit.bundle import BALANCES, CHECKPOINT, EVENTS, MANIFEST, Bundle
from projections.audit.findings import Finding
from projections.log.cosigning import WitnessAddress
from projections.log.keys import read_keys
from tests.fuzz.evidence import GENUINE, SIGNED


@cache
def _folder() -> Path:
    """Make a bundle in which there is nothing yet."""
    folder = TemporaryDirectory(prefix="leifeng-fuzz-files-")
    atexit.register(folder.cleanup)
    path = Path(folder.name)
    (path / "books").mkdir()
    for name in (EVENTS, MANIFEST, BALANCES):
        (path / name).touch()
    (path / CHECKPOINT).write_bytes(SIGNED.encode())
    return path


def bundle(name: str, data: bytes) -> None:
    """Read a bundle with this in it; what is wrong with it is a finding."""
    (_folder() / name).write_bytes(data)
    read = Bundle(_folder())
    with suppress(Finding):
        deque(read.rows(), maxlen=0)
    with suppress(Finding):
        deque(read.claims(), maxlen=0)
    assert any(True for _ in read.beside(GENUINE)), "an empty bundle was found to be right"


def rule(data: bytes, *, in_toml: bool) -> None:
    """Read a rule of approval; whatever it says, somebody approves."""
    with suppress(LedgerError, msgspec.MsgspecError, ValueError, RecursionError):
        read = read_rule(data, in_toml=in_toml)
        assert 1 <= read.needed(1) <= read.needed(AMOUNT_MAX)
        assert in_toml or fault_of(data) is None


def vault_key(data: bytes) -> None:
    """Read the file of the vault's keys, and that of a log's."""
    path = _folder() / "some.key"
    path.touch(mode=0o600)
    path.write_bytes(data)
    with suppress(LedgerError):
        KeyFile(path).read()
    with suppress(LedgerError):
        written = "".join(f"{each.secret_text()}\n" for each in read_keys(path, Signer))
        assert written == path.read_text(encoding="utf-8")


def option(data: bytes) -> None:
    """Read what an operator writes after ``--witness`` and ``--limit``."""
    text = data.decode(errors="surrogateescape")
    with suppress(LedgerError):
        assert WitnessAddress.parse(text).url.startswith("http")
    with suppress(LedgerError):
        assert Limits.of({}, [text])


KINDS: tuple[Callable[[bytes], None], ...] = (
    lambda data: bundle(EVENTS, data),
    lambda data: bundle(MANIFEST, data),
    lambda data: bundle(BALANCES, data),
    lambda data: rule(data, in_toml=False),
    lambda data: rule(data, in_toml=True),
    vault_key,
    option,
)


def file(data: bytes) -> None:
    """Read what the first byte says that it is."""
    if data:
        KINDS[data[0] % len(KINDS)](data[1:])
