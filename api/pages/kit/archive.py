"""A ZIP archive that is made while it is sent: it can be larger than memory and disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

PIECE_BYTES = 64 * 1024
"""Bytes that are sent at a time, or a little more."""

WRITTEN_AT = (2026, 1, 1, 0, 0, 0)
"""What an archive says of the age of a file: nothing, so that the same files are the same bytes."""


def zipped(files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """Yield an archive of ``files``, each a path and a content that is read as it is packed.

    Whoever gets only a part of it has no archive: the list of its files stands at its end.
    """
    packed = _Packed()
    with ZipFile(packed, "w") as archive:
        for path, content in files:
            entry = ZipInfo(path, WRITTEN_AT)
            entry.compress_type = ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as file:
                for piece in content:
                    file.write(piece)
                    if packed.size >= PIECE_BYTES:
                        yield packed.take()
    yield packed.take()


class _Packed:
    """Packed bytes that are not sent yet; never rewound."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def write(self, piece: bytes) -> int:
        """Keep a piece until it is taken."""
        self._pieces.append(piece)
        self.size += len(piece)
        return len(piece)

    def flush(self) -> None:
        """Do nothing: all of it is here."""

    def close(self) -> None:
        """Do nothing: what is left is still to be taken."""

    def take(self) -> bytes:
        """Return the pending bytes and forget them."""
        taken = b"".join(self._pieces)
        self._pieces, self.size = [], 0
        return taken
