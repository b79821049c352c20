"""The key-encryption key of the vault: a file apart from the database.

Whoever has the database alone reads nothing; whoever loses this file reads nothing either. It has
a line a key, the newest first: while keys are being changed both are in it, and a key of old may be
put back to open an old backup.
"""

from __future__ import annotations

import binascii
import fcntl
import os
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Self

from ledger.people.sealing import KEY_BITS, VaultError, new_key

KIND = "leifeng-vault-key"
"""The first word of each line, so that a key found in a wrong place is recognised."""

ID_CHARACTERS = 16

OURS_ALONE = 0o700
"""Who may look into the folder; the file itself is made for its owner alone."""


class KeyLost(VaultError):
    """Details are opened with the key that they were sealed under, and with no other."""

    def __init__(self, key_id: str, path: Path) -> None:
        super().__init__(
            f"the register of people is sealed under vault key {key_id}, which is not in {path};"
            " put that file back, or name it in LEIFENG_VAULT_KEY; nothing was written over"
        )


class KeyUnreadable(VaultError):
    """A file of vault keys has a key a line, each as it was written."""

    def __init__(self, path: Path, number: int) -> None:
        super().__init__(f"line {number} of {path} is no vault key")


class Key(NamedTuple):
    """A key-encryption key.

    Attributes:
        id: What it is known by; follows from the secret and gives nothing of it away.
        secret: 256 random bits.

    """

    id: str
    secret: bytes

    @classmethod
    def of(cls, secret: bytes) -> Self:
        """Return the key that this secret makes."""
        return cls(sha256(KIND.encode() + secret).hexdigest()[:ID_CHARACTERS], secret)


class KeyFile:
    """The file, and what was last read of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, bytes] = {}

    def secret(self, key_id: str) -> bytes:
        """Return the secret of a key; look again if another process put it there meanwhile."""
        if key_id not in self._known:
            self._known = dict(self.read())
        try:
            return self._known[key_id]
        except KeyError:
            raise KeyLost(key_id, self.path) from None

    def read(self) -> list[Key]:
        """Return the keys in the file, newest first; none if there is no file."""
        try:
            lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return []
        return [self._key(number, line) for number, line in enumerate(lines, 1) if line.strip()]

    def _key(self, number: int, line: str) -> Key:
        with suppress(ValueError, binascii.Error):
            kind, key_id, secret = line.split()
            key = Key.of(b64decode(secret, validate=True))
            if (kind, key_id, len(key.secret) * 8) == (KIND, key.id, KEY_BITS):
                return key
        raise KeyUnreadable(self.path, number)

    def first(self) -> tuple[Key, bool]:
        """Return the newest key; make one if there is none, and say whether that was done."""
        keys = self.read()
        if keys:
            return keys[0], False
        made = Key.of(new_key())
        written = self._written([made])
        try:
            os.link(written, self.path)
        except FileExistsError:  # By another process, a moment ago.
            return self.read()[0], False
        finally:
            written.unlink()
        self._settle()
        return made, True

    def write(self, keys: Sequence[Key]) -> None:
        """Replace the file's keys by these, atomically."""
        self._written(keys).replace(self.path)
        self._settle()

    def _written(self, keys: Sequence[Key]) -> Path:
        """Write a file beside ours, to the disk and for its owner alone."""
        self.path.parent.mkdir(mode=OURS_ALONE, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            for key in keys:
                file.write(f"{KIND} {key.id} {b64encode(key.secret).decode()}\n")
            file.flush()
            os.fsync(handle)
        return Path(name)

    def _settle(self) -> None:
        with self._folder() as folder:
            os.fsync(folder)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Lock the keys against every other process until released."""
        with self._folder() as folder:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield

    @contextmanager
    def _folder(self) -> Iterator[int]:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            yield folder
        finally:
            os.close(folder)
