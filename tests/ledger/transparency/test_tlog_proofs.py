"""A proof stands alone, and a policy says whom to believe."""

from dataclasses import replace

import pytest

from ledger.transparency.checkpoint import Checkpoint
from ledger.transparency.cosignature import Cosigner
from ledger.transparency.encoding import Malformed
from ledger.transparency.merkle import NotProven, leaf_hash, node_hash
from ledger.transparency.note import NotSigned, Signer, Verifier
from ledger.transparency.policy import LINES_MAX, Policy, QuorumMissing, parse_policy
from ledger.transparency.proof import Proof, parse_proof

NAME = "leifeng.example/ledger"
LOG, OTHER = (Signer(NAME, bytes([each]) * 32) for each in (1, 2))
WITNESSES = {
    name: Cosigner(f"{name}.example", name.encode() * 16)
    for name in ("X1", "X2", "X3", "Y1", "Y2", "Y3")
}
LEFT, RIGHT = b'{"nid":1}', b'{"nid":2}'
CHECKPOINT = Checkpoint(NAME, 2, node_hash(leaf_hash(LEFT), leaf_hash(RIGHT)))
TRUST = Policy((LOG.verifier,))

# The example of C2SP tlog-policy, with keys.
EXAMPLE = f"""log {LOG.verifier}

witness X1 {WITNESSES["X1"].verifier}
witness X2 {WITNESSES["X2"].verifier}
witness X3 {WITNESSES["X3"].verifier}
group X-witnesses 2 X1 X2 X3

witness Y1 {WITNESSES["Y1"].verifier}
witness Y2 {WITNESSES["Y2"].verifier}
witness Y3 {WITNESSES["Y3"].verifier}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""

# The example of C2SP tlog-proof up to its checkpoint, in which signatures are left out.
EXAMPLE_PROOF = """c2sp.org/tlog-proof@v1
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=
EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=
RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=
AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=

example.com/fancylog
109482
sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

— example.com/fancylog AAAAAAA=
"""


def noted(*names, log=LOG):
    note = CHECKPOINT.sign(log)
    cosigned = [WITNESSES[each].cosign(note.text, 1679315147) for each in names]
    return note.signed_again(*cosigned).encode()


def proof(checkpoint=None, **other):
    fields = {"index": 1, "path": (leaf_hash(LEFT),), "checkpoint": checkpoint or noted()}
    return Proof(**fields | other)


def test_a_proof_is_written_as_specified_and_read_back():
    written = proof(extra=b"more").encode()
    lines = written.decode().split("\n")

    assert lines[:3] == ["c2sp.org/tlog-proof@v1", "extra bW9yZQ==", "index 1"]
    assert written.endswith(b"\n\n" + noted())
    assert parse_proof(written) == proof(extra=b"more")
    assert parse_proof(proof().encode()) == proof()


def test_the_specifications_proof_is_read_and_written_back():
    read = parse_proof(EXAMPLE_PROOF.encode())

    assert (read.index, len(read.path)) == (73894, 5)
    assert read.encode().decode() == EXAMPLE_PROOF


def test_a_proof_leads_from_the_entry_to_what_was_signed():
    assert proof().verify(RIGHT, TRUST) == CHECKPOINT
    assert proof(index=0, path=(leaf_hash(RIGHT),)).verify(LEFT, TRUST) == CHECKPOINT


def test_a_proof_of_something_else_or_by_somebody_else_is_refused():
    with pytest.raises(NotProven):
        proof().verify(LEFT, TRUST)
    with pytest.raises(NotProven):
        proof(index=0).verify(RIGHT, TRUST)
    with pytest.raises(NotProven):
        proof(path=()).verify(RIGHT, TRUST)
    with pytest.raises(NotSigned):
        proof(noted(log=OTHER)).verify(RIGHT, TRUST)
    with pytest.raises(QuorumMissing):
        proof(noted("X1", "Y1")).verify(RIGHT, parse_policy(EXAMPLE.encode()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tlog-proof@v1", "tlog-proof@v2"),
        ("index 73894", "index 073894"),
        ("index 73894", "index -1"),
        ("index 73894", "73894"),
        ("index 73894\n", ""),
        ("index 73894", "extra AAA=\nextra AAA=\nindex 73894"),
        ("index 73894", "index 73894\nextra AAA="),
        ("index 73894", "extra AAB=\nindex 73894"),
        ("gSKy", ""),
        ("gSKy", "gSK_"),
        ("gSKy", " gSKy"),
        ("5vk=\n\n", "5vk=\n"),
        ("109482", "0109482"),
        ("— example", "- example"),
        ("gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n", "A" * 43 + "=\n"),
        ("gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n", ("A" * 43 + "=\n") * 60),
        ("index 73894", "índex 73894"),
    ],
)
def test_what_is_not_exactly_a_proof_is_refused(old, new):
    assert old in EXAMPLE_PROOF
    changed = EXAMPLE_PROOF.replace(old, new, 1).encode()

    if new == "A" * 43 + "=\n":  # Another hash is a proof as well, though of nothing here.
        assert parse_proof(changed).path[0] == bytes(32)
    else:
        with pytest.raises(Malformed):
            parse_proof(changed)


@pytest.mark.parametrize(
    ("cosigned", "enough"),
    [
        (["X1", "X2", "Y3"], True),
        (["X1", "X3", "Y1", "Y2"], True),
        (["X1", "X2", "X3", "Y1", "Y2", "Y3"], True),
        (["X1", "X2", "X3"], False),
        (["X1", "Y1", "Y2", "Y3"], False),
        ([], False),
    ],
)
def test_the_specifications_policy_asks_for_two_of_three_and_one_of_three(cosigned, enough):
    policy = parse_policy(EXAMPLE.encode())

    if enough:
        assert policy.open(noted(*cosigned)) == CHECKPOINT
    else:
        with pytest.raises(QuorumMissing):
            policy.open(noted(*cosigned))


def test_a_policy_is_written_and_read_back():
    policy = parse_policy(EXAMPLE.encode())

    assert parse_policy(policy.encode()) == policy
    assert parse_policy(TRUST.encode()) == TRUST


def test_a_policy_may_ask_for_no_witness_or_for_one():
    key = WITNESSES["X1"].verifier

    assert parse_policy(f"log {LOG.verifier}\nquorum none\n".encode()).open(noted()) == CHECKPOINT
    one = parse_policy(
        f"log {LOG.verifier} https://l\nwitness w {key} https://w\nquorum w\n".encode()
    )
    assert one.open(noted("X1")) == CHECKPOINT
    with pytest.raises(QuorumMissing):
        one.open(noted("X2"))


def test_a_false_cosignature_is_refused_though_the_quorum_is_there_without_it():
    policy = parse_policy(EXAMPLE.encode())
    good = noted("X1", "X2", "Y1").decode()
    false = WITNESSES["Y2"].cosign(replace_size(CHECKPOINT).text, 1679315147)

    with pytest.raises(NotSigned):
        policy.open(f"{good}{false}\n".encode())


def replace_size(checkpoint):
    return checkpoint._replace(size=checkpoint.size + 1)


def test_each_log_of_a_policy_signs_for_itself():
    elsewhere = Verifier("other.example/log", OTHER.verifier.public)
    policy = replace(TRUST, logs=(LOG.verifier, elsewhere))

    assert policy.open(noted()) == CHECKPOINT
    with pytest.raises(NotSigned):
        policy.open(noted(log=OTHER))


def test_spaces_tabs_comments_and_empty_lines_are_nothing():
    spaced = EXAMPLE.replace(" ", " \t ").replace("\n", "\t\n  # ünd\n\n")

    assert parse_policy(spaced.encode()) == parse_policy(EXAMPLE.encode())


def test_names_are_bytes_of_any_kind():
    name, key = b"\xff\xe9", str(WITNESSES["X1"].verifier).encode()
    policy = parse_policy(b"witness %s %s\nquorum %s\n" % (name, key, name))

    assert b"witness %s " % name in policy.encode()


def test_groups_may_stand_in_groups_as_deep_as_a_policy_is_long():
    groups = [f"group g{n} 1 {f'g{n - 1}' if n else 'X1'}\n" for n in range(LINES_MAX - 3)]
    text = f"{LOG_LINE}{X1}{''.join(groups)}quorum g{len(groups) - 1}\n"
    policy = parse_policy(text.encode())

    assert policy.open(noted("X1")) == CHECKPOINT
    with pytest.raises(QuorumMissing):
        policy.open(noted())


X1 = f"witness X1 {WITNESSES['X1'].verifier}\n"
X2 = f"witness X2 {WITNESSES['X2'].verifier}\n"
LOG_LINE = f"log {LOG.verifier}\n"


@pytest.mark.parametrize(
    "policy",
    [
        "",
        LOG_LINE,
        "quorum none",
        "quorum none\nquorum none\n",
        "quorum X1\n",
        "quorum X1\n" + X1,
        "quorum\n",
        "quorum none none\n",
        "Quorum none\n",
        "quorum none\r\n",
        "quorum\u00a0none\n",
        "rule none\n",
        "log\nquorum none\n",
        f"log {LOG.verifier} a b\nquorum none\n",
        LOG_LINE + LOG_LINE + "quorum none\n",
        LOG_LINE + f"log {Verifier('another', LOG.verifier.public)}\nquorum none\n",
        f"log {WITNESSES['X1'].verifier}\nquorum none\n",
        f"witness w {LOG.verifier}\nquorum none\n",
        X1 + X1 + "quorum none\n",
        X1 + X1.replace("X1 ", "X2 ") + "quorum none\n",
        X1.replace("X1 ", "none ") + "quorum none\n",
        X1 + "group g any none\nquorum g\n",
        X1 + "group none any X1\nquorum none\n",
        X1 + "group X1 any X1\nquorum X1\n",
        X1 + "group g any\nquorum g\n",
        X1 + "group g\nquorum X1\n",
        X1 + "group g any X2\nquorum g\n",
        X1 + "group g any g\nquorum g\n",
        X1 + X2 + "group g 0 X1 X2\nquorum g\n",
        X1 + X2 + "group g 3 X1 X2\nquorum g\n",
        X1 + X2 + "group g 02 X1 X2\nquorum g\n",
        X1 + X2 + "group g most X1 X2\nquorum g\n",
        X1 + X2 + "group g any X1 X1\nquorum g\n",
        X1 + X2 + "group g any X1\ngroup h any X1 X2\nquorum h\n",
        "\n" * LINES_MAX + "quorum none\n",
    ],
)
def test_what_is_not_exactly_a_policy_is_refused(policy):
    with pytest.raises(Malformed):
        parse_policy(policy.encode())


def test_a_policy_may_go_on_after_its_quorum():
    parse_policy(f"{X1}quorum X1\n{X2}group g any X2\n".encode())


def test_the_line_that_is_wrong_is_named():
    with pytest.raises(Malformed, match="line 2 of the policy"):
        parse_policy(b"quorum none\nrule\n")
