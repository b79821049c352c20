"""An archive that is made while it is sent."""

from io import BytesIO
from zipfile import BadZipFile, ZipFile

import pytest

from api.pages.kit.archive import PIECE_BYTES, zipped
from ledger.kernel.ids import random_bytes

FILES = [("a/one", [b"1", b"one"]), ("a/nothing", []), ("b/two", [b"2" * 1_000_000])]


def test_it_holds_what_was_put_in():
    with ZipFile(BytesIO(b"".join(zipped(FILES)))) as archive:
        assert archive.testzip() is None
        held = {name: archive.read(name) for name in archive.namelist()}

    assert held == {path: b"".join(content) for path, content in FILES}


def test_the_same_files_are_the_same_bytes():
    first, second = (b"".join(zipped(FILES)) for _ in range(2))

    assert first == second


def test_it_is_sent_while_it_is_packed_and_never_held_whole():
    noise = (random_bytes(4_096) for _ in range(400))
    pieces = zipped([("noise", noise)])

    first = next(pieces)

    assert len(list(noise)) > 350
    assert PIECE_BYTES <= len(first) < 2 * PIECE_BYTES


def test_a_part_of_it_is_no_archive():
    whole = b"".join(zipped(FILES))

    with pytest.raises(BadZipFile):
        ZipFile(BytesIO(whole[:-100]))
