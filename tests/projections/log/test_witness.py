"""A witness cosigns a log's newest tree if it extends the last, and nothing else."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from api.routes.witness import create_witness
from ledger.transparency.checkpoint import Checkpoint, parse_checkpoint
from ledger.transparency.cosignature import Cosigner, cosigned_at
from ledger.transparency.merkle import prove_consistency, root
from ledger.transparency.note import Note, Signer, parse_note, read_signatures, signed_by
from ledger.transparency.tiles import grow, hash_reader
from ledger.transparency.witness import OldSizeDiffers, Submission, parse_submission
from projections.log.witness import Witness

LOG = Signer("charity.example/ledger", b"l" * 32)
WITNESS = Cosigner("friend.example/witness", b"w" * 32)
AT = datetime(2026, 11, 25, 12, tzinfo=UTC)

EXAMPLE = """\
old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
"""  # noqa: E501  # As it stands in the specification.


class Grown:
    """A log of made-up leaves."""

    def __init__(self, leaves: int, kind: bytes = b"") -> None:
        hashes = [bytes([number % 256]) * 31 + (kind or b"a") for number in range(leaves)]
        tiles = dict(grow(0, hashes, {}))
        self.read = hash_reader(leaves, lambda wanted: [tiles[each] for each in wanted])
        self.leaves = leaves

    def checkpoint(self, size: int) -> Checkpoint:
        return Checkpoint(LOG.verifier.name, size, self._root(size))

    def _root(self, size: int) -> bytes:
        return root(size, self.read)

    def submission(self, old: int, new: int, signer: Signer = LOG) -> Submission:
        checkpoint = self.checkpoint(new)._replace(origin=signer.verifier.name)
        proof = tuple(prove_consistency(old, new, self.read)) if old <= new else ()
        return Submission(old, proof, checkpoint.sign(signer).encode())


TREE = Grown(300)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "witness.db"


def opened(file):
    return closing(Witness(file, WITNESS, [LOG.verifier], lambda: AT))


@pytest.fixture
def http(file):
    with opened(file) as witness, TestClient(create_witness(witness)) as client:
        yield client


def sent(http, submission):
    body = submission if isinstance(submission, bytes) else submission.encode()
    return http.post("/add-checkpoint", content=body)


def test_the_specifications_own_example_is_read_and_written_the_same():
    submission = parse_submission(EXAMPLE.encode())

    assert submission.old == 20852014
    assert len(submission.proof) == 4
    assert parse_checkpoint(parse_note(submission.checkpoint).text).size == 20852163
    assert submission.encode() == EXAMPLE.encode()


def test_a_tree_that_extends_the_last_is_cosigned_by_its_key_and_the_time(http):
    for old, new in ((0, 1), (1, 7), (7, 256), (256, 256), (256, 300)):
        answer = sent(http, TREE.submission(old, new))

        assert answer.status_code == 200
        (signature,) = read_signatures(answer.text)
        note = Note(TREE.checkpoint(new).text, (signature,))
        assert [key for key, _ in signed_by(note, [WITNESS.verifier])] == [WITNESS.verifier]
        assert cosigned_at(signature.signature) == int(AT.timestamp())


def test_what_is_no_submission_is_a_bad_request(http):
    good = TREE.submission(0, 5).encode()
    for bad in (
        b"",
        b"hello",
        good.replace(b"old 0", b"old 00"),
        good.replace(b"old 0", b"old -1"),
        good.replace(b"old 0", b"old 6"),
        good.replace(b"old 0\n", b"old 0\n!!\n"),
        good.replace(b"\n\n", b"\n", 1),
        b"\xff" + good,
        b"old 0\n" + b"A" * 43 + b"=\n" * 64 + good,
    ):
        assert sent(http, bad).status_code == 400, bad


def test_a_log_that_nobody_told_it_of_is_not_found(http):
    stranger = Signer("other.example/ledger", b"o" * 32)

    assert sent(http, TREE.submission(0, 5, stranger)).status_code == 404


def test_what_the_log_did_not_sign_is_forbidden(http):
    impostor = Signer(LOG.verifier.name, b"i" * 32)

    assert sent(http, TREE.submission(0, 5, impostor)).status_code == 403


def test_a_proof_that_begins_elsewhere_is_answered_with_the_size_it_ought_to_begin_at(http):
    sent(http, TREE.submission(0, 100))

    for old, new in ((0, 200), (50, 200), (150, 200)):
        answer = sent(http, TREE.submission(old, new))

        assert answer.status_code == 409
        assert answer.text == "100\n"
        assert answer.headers["content-type"] == "text/x.tlog.size"


def test_a_second_tree_of_one_size_is_a_conflict(http):
    sent(http, TREE.submission(0, 100))

    answer = sent(http, Grown(100, b"b").submission(100, 100))

    assert answer.status_code == 409
    assert answer.text == "100\n"


def test_a_tree_that_does_not_extend_the_last_is_not_cosigned_with_any_proof(http):
    sent(http, TREE.submission(0, 100))
    other = Grown(200, b"b")

    for proof in (other.submission(100, 200).proof, TREE.submission(100, 200).proof, ()):
        forked = other.submission(100, 200)._replace(proof=proof)
        assert sent(http, forked).status_code == 422

    assert sent(http, TREE.submission(100, 200)).status_code == 200


def test_a_proof_from_nothing_is_empty(http):
    submission = TREE.submission(0, 5)._replace(proof=(b"\0" * 32,))

    assert sent(http, submission).status_code == 422


def test_more_than_any_submission_is_not_read(http):
    assert sent(http, b"old 0\n" * 200_000).status_code == 413


def test_it_remembers_what_it_cosigned(file):
    with opened(file) as witness, TestClient(create_witness(witness)) as client:
        sent(client, TREE.submission(0, 100))

    with opened(file) as witness, TestClient(create_witness(witness)) as client:
        assert sent(client, TREE.submission(0, 50)).text == "100\n"
        assert sent(client, TREE.submission(100, 300)).status_code == 200


def test_of_submissions_at_one_time_one_after_the_other_is_cosigned(file):
    """Nobody is cosigned on a tree that another request has gone beyond meanwhile."""
    rivals = 16
    together = threading.Barrier(rivals)
    with opened(file) as witness:
        witness.add_checkpoint(TREE.submission(0, 100).encode())

        def race(new: int) -> int | None:
            together.wait()
            try:
                witness.add_checkpoint(TREE.submission(100, new).encode())
            except OldSizeDiffers as refusal:
                return refusal.size
            return None

        with ThreadPoolExecutor(rivals) as threads:
            answers = list(threads.map(race, range(101, 101 + rivals)))

    (winner,) = (101 + at for at, answer in enumerate(answers) if answer is None)
    assert {answer for answer in answers if answer is not None} == {winner}
