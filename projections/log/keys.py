"""The secret keys of a log, in a file of their own, and beside it what was last signed with them.

The second file is what makes the first safe to use: nothing is signed that does not extend it, so
no two checkpoints of one name ever contradict each other, whatever becomes of the databases. It is
on the disk before a signature leaves.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from ledger.kernel.errors import Confidential, LedgerError
from ledger.kernel.ids import random_bytes
from ledger.transparency.checkpoint import Checkpoint, parse_checkpoint
from ledger.transparency.encoding import Malformed, lines_of
from ledger.transparency.merkle import EMPTY_ROOT
from ledger.transparency.note import Signer

OURS_ALONE = 0o600
"""Who may read a secret key, and what was signed with it."""

FOLDER_OURS_ALONE = 0o700

SIGNING = 2
"""Keys that sign: the newest, and the one before it, which more people hold."""


class WillNotSign(LedgerError):
    """A log signs nothing that contradicts, or might contradict, what it signed before."""

    NAME = "log-not-signed"


class KeyUnusable(WillNotSign, Confidential):
    """A log is signed with its own key, which is whole and its owner's alone."""

    says = "the key of the log cannot be used here at the moment"


class KeyOpenToOthers(KeyUnusable):
    """A secret key is read by its owner alone."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"others may read {path}; take that from them: chmod 600 {path}")


class KeyUnreadable(KeyUnusable):
    """A key is used only if all of it can be read."""

    def __init__(self, path: Path, fault: Exception) -> None:
        super().__init__(f"{path} is not what was written there ({fault}); put it back")


class MemoryLost(KeyUnusable):
    """A key signs only beside the record of what it signed last."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is not beside its key; put it back, or begin another log with"
            " leifeng audit new-log"
        )


class KeyRing(NamedTuple):
    """The keys of one log.

    Attributes:
        name: Of the log and of every key.
        signers: Oldest first.

    """

    name: str
    signers: tuple[Signer, ...]

    @property
    def signing(self) -> Sequence[Signer]:
        """Those that sign."""
        return self.signers[-SIGNING:]


def a_name() -> str:
    """Return a name that no other log has: two logs of one name would contradict each other."""
    return f"leifeng.example/ledger-{random_bytes(8).hex()}"


class KeyFile:
    """Secret keys, a line each, and what was signed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._memory = path.with_name(f"{path.name}.signed")

    @property
    def is_there(self) -> bool:
        """A key was made here."""
        return self.path.exists()

    def read(self) -> KeyRing | None:
        """Return the keys; nothing if none were made.

        Raises:
            WillNotSign: They are not to be used.

        """
        signers = read_keys(self.path, Signer)
        return _ring(self.path, signers) if signers else None

    def create(self, signer: Signer) -> KeyRing:
        """Keep the first key of a log, which has signed nothing."""
        self.path.parent.mkdir(mode=FOLDER_OURS_ALONE, parents=True, exist_ok=True)
        self.remember(Checkpoint(signer.verifier.name, 0, EMPTY_ROOT))
        return self._write([signer])

    def add(self, signer: Signer) -> KeyRing:
        """Sign with one more key of the same log from now on."""
        ring = self.read()
        return self._write([*(ring.signers if ring else ()), signer])

    def retire(self) -> None:
        """Put the keys aside, with what they signed. They will not be used again."""
        for path in (self.path, self._memory):
            aside = path.with_name(f"{path.name}.retired-{random_bytes(4).hex()}")
            if path.exists():
                path.rename(aside)
        _to_disk(self.path.parent)

    def knew(self, name: str) -> bool:
        """Say whether a log of this name was ever signed with a key that was kept here."""
        pattern = f"{self._memory.name}*"
        kept = [each.read_text(encoding="utf-8") for each in self.path.parent.glob(pattern)]
        return any(text.partition("\n")[0] == name for text in kept)

    def signed(self, name: str) -> Checkpoint:
        """Return the last checkpoint that was signed under ``name``."""
        try:
            signed = parse_checkpoint(self._memory.read_text(encoding="utf-8"))
        except (FileNotFoundError, Malformed, UnicodeError):
            raise MemoryLost(self._memory) from None
        if signed.origin != name:
            raise MemoryLost(self._memory)
        return signed

    def remember(self, checkpoint: Checkpoint) -> None:
        """Write down what is about to be signed, before it is."""
        _write_whole(self._memory, checkpoint.text)

    def _write(self, signers: Sequence[Signer]) -> KeyRing:
        ring = _ring(self.path, tuple(signers))
        write_keys(self.path, signers)
        return ring


S = TypeVar("S", bound=Signer)


def read_keys(path: Path, kind: type[S]) -> tuple[S, ...]:
    """Return the secret keys in a file, a line each; none if there is no file.

    Raises:
        WillNotSign: They are not to be used.

    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return ()
    if stat.S_IMODE(mode) & ~OURS_ALONE:
        raise KeyOpenToOthers(path)
    try:
        return tuple(map(kind.parse, lines_of(path.read_text(encoding="utf-8"))))
    except (Malformed, UnicodeError) as fault:
        raise KeyUnreadable(path, fault) from None


def write_keys(path: Path, signers: Sequence[Signer]) -> None:
    """Write secret keys to a file, a line each."""
    path.parent.mkdir(mode=FOLDER_OURS_ALONE, parents=True, exist_ok=True)
    _write_whole(path, "".join(f"{each.secret_text()}\n" for each in signers))


def _ring(path: Path, signers: tuple[Signer, ...]) -> KeyRing:
    names = {each.verifier.name for each in signers}
    if len(names) != 1:
        raise KeyUnreadable(path, Malformed("its keys are not of one log"))
    return KeyRing(names.pop(), signers)


def _write_whole(path: Path, text: str) -> None:
    """Put ``text`` at ``path``, all of it or nothing, on the disk and for the owner alone."""
    beside = path.with_name(f".{path.name}.new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OURS_ALONE)
    try:
        os.fchmod(handle, OURS_ALONE)
        os.write(handle, text.encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    beside.replace(path)
    _to_disk(path.parent)


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
