"""Anybody can have the log, and a donor takes home what can be checked without us."""

import json
from base64 import b64decode
from hashlib import sha256

import pytest

from ledger.kernel.roles import Role
from ledger.transparency.checkpoint import open_checkpoint
from ledger.transparency.leaf import read_leaf
from ledger.transparency.merkle import (
    NotProven,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from ledger.transparency.note import NotSigned, Signer
from ledger.transparency.policy import Policy
from ledger.transparency.proof import parse_proof
from ledger.transparency.tiles import ENTRIES, tiles_of, unpack_entries
from projections.log.keys import KeyFile
from tests.go_check import build, check, write_proofs
from tests.logs import until, verifiers
from tests.office import DAY
from tests.stores import on_every_store

pytestmark = on_every_store


@pytest.fixture(name="keys", scope="module")
def _keys(server):
    """What `leifeng audit key` prints, had from elsewhere than the log."""
    return verifiers(KeyFile(server.data / "keys" / "log.key"))


@pytest.fixture(name="gift", scope="module")
def _gift(office):
    """A donation that was paid, and of which some was spent."""
    fund = office.fund()
    donor = office.donor()
    donation = office.lin.did("/v1/donations", pledge(donor, fund))["id"]
    line = {"channel": "wechat", "external_ref": f"R-{donation[:8]}", "received_on": DAY}
    office.chen.did(f"/v1/donations/{donation}/payments", {"amount": 100_00} | line)
    return {"id": donation, "fund": fund, "donor": donor}


def pledge(donor, fund):
    return {"donor": donor, "fund": fund, "amount": 100_00, "currency": "CNY", "pledged_on": DAY}


def newest(server, keys):
    answer = server.public.get("/checkpoint")
    assert answer.status_code == 200, answer.text
    return open_checkpoint(answer.content, keys)


def level(server, keys):
    """Return a checkpoint of all that there is."""
    last = server.position()
    server.public.read("/v1/proofs/consistency", from_=0, at_least=last)
    return newest(server, keys)


def hashes(texts):
    return [b64decode(each) for each in texts]


def test_a_checkpoint_is_signed_plain_and_never_old(server, office, keys):
    office.gift(office.fund())
    answer = server.public.get("/checkpoint")

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    open_checkpoint(answer.content, keys)
    with pytest.raises(NotSigned):
        open_checkpoint(answer.content, [Signer.generate(keys[0].name).verifier])


def test_the_log_follows_by_itself(server, office, keys):
    office.gift(office.fund())
    last = server.position()

    until(lambda: newest(server, keys).size >= last)
    assert server.public.read("/readyz")["log_refusal"] is None


def test_tiles_and_entries_are_served_as_specified(server, office, keys):
    for _ in range(3):
        office.gift(office.fund())
    checkpoint = level(server, keys)

    for tile in tiles_of(checkpoint.size):
        answer = server.public.get(f"/{tile.path}")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["cache-control"].startswith("public, max-age=")
        assert ("immutable" in answer.headers["cache-control"]) == tile.is_full
        assert len(answer.content) == 32 * tile.width
        if tile.level == 0:
            bundle = server.public.get(f"/{tile._replace(level=ENTRIES).path}").content
            entries = unpack_entries(bundle)
            assert b"".join(map(leaf_hash, entries)) == answer.content
            assert [read_leaf(each).index for each in entries] == list(
                range(tile.first, tile.first + tile.width)
            )


def test_entries_are_compressed_for_those_who_take_it(server, office, keys):
    office.fund()
    level(server, keys)
    path = f"{server.url}/tile/entries/000.p/1"
    plain = server.public.http.get(path, headers={"Accept-Encoding": "identity"})
    packed = server.public.http.get(path, headers={"Accept-Encoding": "gzip"})

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.content == plain.content
    assert len(unpack_entries(plain.content)) == 1


@pytest.mark.parametrize(
    "path", ["0/0", "0/999", "0/x001/000", "7/000.p/1", "entries/999", "0/000.p/0", "x", "0/000/"]
)
def test_what_is_no_tile_is_not_found(server, path):
    answer = server.public.get(f"/tile/{path}")

    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/not-found"


def test_an_event_is_proven_the_moment_it_is_acknowledged(server, office, keys):
    fund, donor = office.fund(), office.donor()
    for _ in range(3):
        position = office.lin.did("/v1/donations", pledge(donor, fund))["position"]
        found = server.public.read("/v1/proofs/inclusion", position=position)

        checkpoint = open_checkpoint(found["checkpoint"].encode(), keys)
        assert (found["position"], found["index"]) == (position, position - 1)
        assert (found["size"], b64decode(found["root"])) == checkpoint[1:3]
        assert read_leaf(found["leaf"].encode()).nid == position
        assert b64decode(found["leaf_hash"]) == leaf_hash(found["leaf"].encode())
        verify_inclusion(
            position - 1,
            checkpoint.size,
            leaf_hash(found["leaf"].encode()),
            hashes(found["path"]),
            checkpoint.root,
        )


def test_a_proof_is_had_as_a_text_that_stands_alone(server, office, keys):
    office.fund()
    answer = server.public.http.get(
        f"{server.url}/v1/proofs/inclusion?position=1", headers={"Accept": "text/plain"}
    )
    proof = parse_proof(answer.content)
    entry = server.public.read("/v1/proofs/inclusion", position=1)["leaf"].encode()

    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert proof.verify(entry, Policy(tuple(keys))).size >= 1
    with pytest.raises(NotProven):
        proof.verify(entry.replace(b'"nid":1', b'"nid":2'), Policy(tuple(keys)))


def test_any_two_sizes_are_proven_consistent(server, office, keys):
    old = level(server, keys)
    office.gift(office.fund())
    new = level(server, keys)
    found = server.public.read("/v1/proofs/consistency", from_=old.size, to=new.size)

    assert old.size < new.size
    assert (b64decode(found["from_root"]), b64decode(found["to_root"])) == (old.root, new.root)
    verify_consistency(old.size, new.size, old.root, new.root, hashes(found["proof"]))
    newest_ = server.public.read("/v1/proofs/consistency", from_=1)
    assert newest_["to"] >= new.size


@pytest.mark.parametrize(
    ("asked", "status", "kind"),
    [
        ("inclusion", 422, "invalid-request"),
        ("inclusion?position=0", 422, "invalid-request"),
        ("inclusion?position=99999999", 404, "not-found"),
        ("inclusion?position=1&at_least=99999999", 422, "invalid-request"),
        ("consistency", 422, "invalid-request"),
        ("consistency?from=-1", 422, "invalid-request"),
        ("consistency?from=2&to=1", 422, "invalid-request"),
        ("consistency?from=1&to=99999999", 422, "invalid-request"),
        ("consistency?from=99999999", 422, "invalid-request"),
    ],
)
def test_what_cannot_be_proven_is_refused_by_name(server, office, asked, status, kind):
    office.fund()
    answer = server.public.http.get(f"{server.url}/v1/proofs/{asked}")

    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == f"/problems/{kind}"


@pytest.mark.slow
def test_others_tools_read_what_is_served(server, office, keys, tmp_path, tmp_path_factory):
    office.gift(office.fund())
    checkpoint = level(server, keys)
    size = checkpoint.size
    save(tmp_path / "checkpoint", server.public.get("/checkpoint").content)
    for tile in tiles_of(size):
        save(tmp_path / tile.path, server.public.get(f"/{tile.path}").content)
        if tile.level == 0:
            path = tile._replace(level=ENTRIES).path
            save(tmp_path / path, server.public.get(f"/{path}").content)
    proofs = [server.public.read("/v1/proofs/inclusion", position=n) for n in range(1, size + 1, 7)]
    pairs = [
        server.public.read("/v1/proofs/consistency", from_=old, to=size)
        for old in range(1, size, 5)
    ]
    write_proofs(
        tmp_path,
        [(each["index"], each["size"], hashes(each["path"])) for each in proofs],
        [(each["from"], each["to"], hashes(each["proof"])) for each in pairs],
    )

    done = check(build(tmp_path_factory.mktemp("go")), tmp_path, keys[0])

    assert done.stderr == ""
    assert done.stdout.startswith(f"{size} entries, 1 signatures, {len(proofs)} and {len(pairs)}")


def save(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


# Receipts.


def checked(receipt, keys):
    """Check a receipt as its holder would, with nothing but a key."""
    checkpoint = open_checkpoint(receipt["checkpoint"].encode(), keys)
    for each in receipt["events"]:
        state, leaf = b64decode(each["state"]), read_leaf(each["leaf"].encode())
        assert (leaf.sha256, leaf.size) == (sha256(state).hexdigest(), len(state))
        assert (leaf.nid, leaf.oid, leaf.over, leaf.topic) == (
            each["position"],
            each["stream"],
            each["version"],
            each["topic"],
        )
        verify_inclusion(
            each["index"],
            checkpoint.size,
            leaf_hash(each["leaf"].encode()),
            hashes(each["path"]),
            checkpoint.root,
        )
    return checkpoint


def test_a_receipt_has_the_donations_events_as_stored_and_their_proofs(office, gift, keys):
    receipt = office.lin.read(f"/v1/donations/{gift['id']}/receipt")

    checked(receipt, keys)
    said = [json.loads(b64decode(each["state"])) for each in receipt["events"]]
    assert [each["topic"] for each in receipt["events"]] == [
        "donation.pledged.1",
        "donation.payment-received.1",
    ]
    assert [each["amount"] for each in said] == [100_00, 100_00]
    assert {each["stream"] for each in said} == {gift["id"]}
    assert receipt["donation"]["id"] == gift["id"]
    assert str(keys[0]) not in json.dumps(receipt)


def test_a_receipt_that_was_changed_proves_nothing(office, gift, keys):
    receipt = office.lin.read(f"/v1/donations/{gift['id']}/receipt")
    receipt["events"][0]["leaf"] = receipt["events"][1]["leaf"]
    receipt["events"][0] |= {
        name: receipt["events"][1][name] for name in ("state", "position", "version", "topic")
    }

    with pytest.raises(NotProven):
        checked(receipt, keys)


def test_a_receipt_says_what_the_whole_fund_did_since(office):
    fund, donor = office.fund(), office.donor()
    office.gift(fund, 500_00)
    donation = office.lin.did("/v1/donations", pledge(donor, fund))["id"]
    before = office.lin.read(f"/v1/donations/{donation}/receipt")["fund"]
    aid = office.approved(fund, 300_00)
    reserved = office.lin.read(f"/v1/donations/{donation}/receipt")["fund"]
    office.pay_out(aid)
    paid = office.lin.read(f"/v1/donations/{donation}/receipt")["fund"]

    assert before["change"] == dict.fromkeys(before["change"], 0)
    assert (reserved["change"]["reserved"], reserved["change"]["paid"]) == (300_00, 0)
    assert (paid["change"]["reserved"], paid["change"]["paid"]) == (0, 300_00)
    assert paid["now"]["balance"] == 200_00
    assert [(each["id"], each["amount"], each["state"]) for each in paid["disbursements"]] == [
        (aid, 300_00, "paid")
    ]
    assert set(paid["pooled"]) == {"zh", "en"}
    assert not paid["more_disbursements"]


def test_a_receipt_covers_what_its_reader_has_seen(server, office, gift, keys):
    last = office.lin.did("/v1/donations", pledge(gift["donor"], gift["fund"]))["position"]
    receipt = office.lin.read(f"/v1/donations/{gift['id']}/receipt", at_least=last)

    assert checked(receipt, keys).size >= last
    beyond = office.lin.get(f"/v1/donations/{gift['id']}/receipt", at_least=last + 10_000)
    assert beyond.status_code == 422
    assert server.position() >= last


def test_a_donor_has_receipts_of_their_own_gifts_alone(server, gift):
    giver = server.person("giver", Role.DONOR, donor=gift["donor"])
    other = server.person("other", Role.DONOR, donor="01a20737-75c3-7cc1-b1f2-e52f15c6c3a7")
    path = f"/v1/donations/{gift['id']}/receipt"

    assert giver.get(path).status_code == 200
    assert other.get(path).status_code == 404
    assert server.public.get(path).status_code == 401
    assert (
        giver.get("/v1/donations/01a20737-75c3-7cc1-b1f2-e52f15c6c3a7/receipt").status_code == 404
    )


def test_figures_say_how_far_the_log_is(server):
    text = server.public.get("/metrics").text

    assert "leifeng_log_lag " in text
    assert "leifeng_log_refusing 0.0" in text
