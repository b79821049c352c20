"""Sealing: AES-256-GCM, bound to what the sealed thing is, so that it opens in no other's place."""

from __future__ import annotations

import os
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.kernel.errors import Confidential

KEY_BITS = 256

NONCE_BYTES = 12
"""Random, and never used twice with one key: a key seals a handful of fields, or wraps some
millions of keys, where NIST SP 800-38D allows four thousand millions."""


class VaultError(Confidential):
    """What is sealed can be opened by whoever has the key, and by nobody else."""

    says = "details of people cannot be opened or sealed here at the moment"


class SealBroken(VaultError):
    """A seal opens only for the person and the field that it was made for, with nothing changed."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(f"the seal of {' '.join(names)} is broken")


def new_key() -> bytes:
    """Return a fresh key of 256 bits."""
    return AESGCM.generate_key(KEY_BITS)


def seal(key: bytes, thing: Any, *names: str) -> bytes:
    """Seal ``thing``, a value that JSON has, under ``key``, bound to ``names``."""
    return seal_bytes(key, msgspec.json.encode(thing), *names)


def unseal(key: bytes, box: bytes, *names: str) -> Any:
    """Return what was sealed; refuse what was sealed otherwise or as something else."""
    return msgspec.json.decode(unseal_bytes(key, box, *names))


def seal_bytes(key: bytes, secret: bytes, *names: str) -> bytes:
    """Seal bytes, such as another key."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, secret, msgspec.json.encode(names))


def unseal_bytes(key: bytes, box: bytes, *names: str) -> bytes:
    """Return the bytes that were sealed."""
    try:
        return AESGCM(key).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], msgspec.json.encode(names))
    except (InvalidTag, ValueError):  # The second, if hardly anything is left of it.
        raise SealBroken(names) from None
