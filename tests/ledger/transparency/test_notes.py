"""Notes, checkpoints and cosignatures are read as specified, and believed only if signed."""

from base64 import b64decode, b64encode

import pytest

from ledger.transparency.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from ledger.transparency.cosignature import Cosigner, Witness, cosigned_at
from ledger.transparency.encoding import Malformed, from_base64, from_decimal
from ledger.transparency.merkle import EMPTY_ROOT, leaf_hash
from ledger.transparency.note import (
    NOTE_BYTES_MAX,
    SIGNATURES_MAX,
    Note,
    NotSigned,
    Signature,
    Signer,
    Verifier,
    open_note,
    parse_note,
    signed_by,
)
from tests.folders import DATA

NOTES = DATA / "notes"

# The example of C2SP signed-note, with its key.
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (NOTES / "signed-note.txt").read_bytes()

# The example of the Go package sumdb/note, with both of its keys.
GO_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"  # noqa: S105  # Published.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (NOTES / "go.txt").read_bytes()

# Examples of C2SP whose keys were not published.
POEM = (NOTES / "poem.txt").read_bytes()
SOFA = (NOTES / "behind-the-sofa.txt").read_bytes()
SOFA_TEXT = SOFA.decode().partition("\n\n")[0] + "\n"
SOFA_COSIGNED_AT = 1679315147

NAME = "leifeng.example/ledger"
TEXT = "words\n"
SIGNER = Signer(NAME, bytes(range(32)))
OTHER = Signer(NAME, bytes(range(1, 33)))
COSIGNER = Cosigner("witness.example/w", bytes(range(2, 34)))
CHECKPOINT = Checkpoint(NAME, 3, leaf_hash(b"three"))
SIGNED = CHECKPOINT.sign(SIGNER)


def signed(text, *signers):
    return Note(text, tuple(each.sign(text) for each in signers)).encode()


def test_the_specifications_example_is_verified():
    key = Verifier.parse(SPEC_KEY)

    assert (key.name, key.key_id.hex(), str(key)) == ("example.com/foo", "530d903a", SPEC_KEY)
    assert open_note(SPEC_NOTE, [key]).text == "This is an example message.\n"
    assert parse_note(SPEC_NOTE).encode() == SPEC_NOTE


def test_the_go_packages_example_is_verified_and_made_again():
    key, signer = Verifier.parse(GO_KEY), Signer.parse(GO_SECRET)
    note = open_note(GO_NOTE, [key])

    assert signer.verifier == key
    assert signer.secret_text() == GO_SECRET
    assert note.encode() == GO_NOTE
    assert signer.sign(note.text) == note.signatures[0]


@pytest.mark.parametrize("example", [POEM, SOFA], ids=["poem", "sofa"])
def test_examples_without_keys_are_read_and_believed_by_nobody(example):
    assert parse_note(example).encode() == example
    with pytest.raises(NotSigned):
        open_note(example, [SIGNER.verifier])


def test_a_text_may_have_empty_lines():
    assert parse_note(POEM).text.endswith("sole:\n\ned è subito sera.\n")
    for text in ("a\n\n", "\n", "a\n\n\nb\n"):
        assert open_note(signed(text, SIGNER), [SIGNER.verifier]).text == text


def test_signatures_of_unknown_keys_are_ignored_even_if_they_share_a_name_or_an_id():
    same_name = OTHER.sign(TEXT)
    same_id = Signature("other.example", SIGNER.verifier.key_id, b"nothing")
    note = Note(TEXT, (same_name, same_id, SIGNER.sign(TEXT)))

    assert signed_by(note, [SIGNER.verifier]) == [(SIGNER.verifier, SIGNER.sign(TEXT))]
    with pytest.raises(NotSigned, match="no key that is trusted"):
        open_note(Note(TEXT, (same_name, same_id)).encode(), [SIGNER.verifier])


def test_a_note_with_one_false_signature_of_a_known_key_is_refused_whatever_else_it_has():
    wrong = SIGNER.sign("other words\n")
    for each in ((SIGNER.sign(TEXT), wrong), (wrong, SIGNER.sign(TEXT)), (OTHER.sign(TEXT), wrong)):
        with pytest.raises(NotSigned, match="not by its key"):
            open_note(Note(TEXT, each).encode(), [SIGNER.verifier, OTHER.verifier])


def test_no_bit_of_a_signed_text_or_signature_can_be_changed():
    signature = SIGNER.sign(TEXT)
    for bit in range(8 * len(signature.signature)):
        number = int.from_bytes(signature.signature, "big") ^ 1 << bit
        changed = signature._replace(signature=number.to_bytes(64, "big"))
        with pytest.raises(NotSigned):
            open_note(Note(TEXT, (changed,)).encode(), [SIGNER.verifier])
    with pytest.raises(NotSigned):
        open_note(Note("wordz\n", (signature,)).encode(), [SIGNER.verifier])


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"no signatures\n",
        b"no signatures\n\n",
        "text\n\n— name AAAAAAA=".encode(),
        b"text\n\n- name AAAAAAA=\n",
        "text\n\n—name AAAAAAA=\n".encode(),
        "text\n\n— na me AAAAAAA=\n".encode(),
        "text\n\n— na+me AAAAAAA=\n".encode(),
        "text\n\n— na\u00a0me AAAAAAA=\n".encode(),
        "text\n\n— na\u3000me AAAAAAA=\n".encode(),
        "text\n\n—  AAAAAAA=\n".encode(),
        "text\n\n— name\n".encode(),
        "text\n\n— name AAAA\n".encode(),
        "text\n\n— name AAAAAA==\n".encode(),
        "text\n\n— name AAAAAAB=\n".encode(),
        "text\n\n— name AAAAAAA\n".encode(),
        "text\n\n— name AAAA_AA=\n".encode(),
        "text\n\n— name AAAAAAA= \n".encode(),
        "text\n\n— name AAAAAAA=\nmore\n".encode(),
        "text\r\n\n— name AAAAAAA=\n".encode(),
        "te\txt\n\n— name AAAAAAA=\n".encode(),
        "te\0xt\n\n— name AAAAAAA=\n".encode(),
        b"te\xffxt\n\n\xe2\x80\x94 name AAAAAAA=\n",
    ],
)
def test_what_is_not_exactly_a_note_is_refused(note):
    with pytest.raises(Malformed):
        parse_note(note)


def test_a_note_has_bounds():
    many = tuple(Signature(f"n{each}", b"\0" * 4, b"\0") for each in range(SIGNATURES_MAX + 1))

    assert len(parse_note(Note(TEXT, many[:-1]).encode()).signatures) == SIGNATURES_MAX
    with pytest.raises(Malformed):
        parse_note(Note(TEXT, many).encode())
    with pytest.raises(Malformed):
        parse_note(signed("x" * NOTE_BYTES_MAX + "\n", SIGNER))


@pytest.mark.parametrize("text", ["no newline", "", "control\x07\n"])
def test_what_could_not_be_read_back_is_not_written(text):
    with pytest.raises(Malformed):
        Note(text, ()).encode()


@pytest.mark.parametrize(
    "key",
    [
        "",
        "example.com/foo",
        "example.com/foo+530d903a",
        SPEC_KEY.replace("530d903a", "530d903b"),
        SPEC_KEY.replace("530d903a", "530D903A"),
        SPEC_KEY.replace("530d903a", "0530d903a"),
        SPEC_KEY.replace("foo", "fo"),
        SPEC_KEY.replace("foo", "f oo"),
        SPEC_KEY[:-1],
        SPEC_KEY + "\n",
        "\udcff" + SPEC_KEY,
        str(COSIGNER.verifier),
    ],
)
def test_a_key_is_read_only_if_its_id_and_type_are_its_own(key):
    with pytest.raises(Malformed):
        Verifier.parse(key)


@pytest.mark.parametrize(
    "secret",
    [
        GO_KEY,
        GO_SECRET.replace("c74f20a3", "c74f20a4"),
        GO_SECRET.replace("Peter", "Piotr"),
        GO_SECRET[:-4],
        COSIGNER.secret_text(),
    ],
)
def test_a_secret_key_is_read_only_if_it_is_whole(secret):
    with pytest.raises(Malformed):
        Signer.parse(secret)


def test_keys_have_32_bytes_and_are_made_by_chance():
    for kind in (Signer, Verifier):
        with pytest.raises(Malformed):
            kind(NAME, bytes(31))
    assert Signer.generate(NAME).verifier != Signer.generate(NAME).verifier


def test_a_key_signs_again_in_the_place_of_its_earlier_signature():
    earlier = COSIGNER.cosign(CHECKPOINT.text, 1)
    later = COSIGNER.cosign(CHECKPOINT.text, 2)

    cosigned = SIGNED.signed_again(earlier).signed_again(later)

    assert cosigned.signatures == (*SIGNED.signatures, later)


@pytest.mark.parametrize(
    "text", ["", "AA", "AAA", "AB==", "AAB=", "AA=A", "AA==\n", "A A=", "_w==", "AA===", "ÁA=="]
)
def test_base64_is_strict(text):
    if text:
        with pytest.raises(Malformed):
            from_base64(text)
    else:
        assert from_base64(text) == b""


def test_base64_of_the_wrong_length_is_refused():
    assert from_base64("AAA=", 2) == b"\0\0"
    with pytest.raises(Malformed):
        from_base64("AAA=", 3)


@pytest.mark.parametrize("text", ["", "01", "+1", "-1", " 1", "1 ", "1.0", "1_0", "٣", str(2**63)])
def test_numbers_are_strict(text):
    with pytest.raises(Malformed):
        from_decimal(text)


def test_numbers_go_up_to_those_of_63_bits():
    assert [from_decimal(each) for each in ("0", "10", str(2**63 - 1))] == [0, 10, 2**63 - 1]


def test_the_specifications_checkpoint_is_read_and_written_back():
    checkpoint = parse_checkpoint(parse_note(SOFA).text)

    assert checkpoint.origin == "example.com/behind-the-sofa"
    assert checkpoint.size == 20852163
    assert b64encode(checkpoint.root) == b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
    assert checkpoint.text == SOFA_TEXT


def test_a_checkpoint_may_have_extension_lines():
    text = SOFA_TEXT + "one\ntwo words\n"

    assert parse_checkpoint(text).extensions == ("one", "two words")
    assert parse_checkpoint(text).text == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        SOFA_TEXT[:-1],
        "origin\n1\n",
        SOFA_TEXT + "\n",
        SOFA_TEXT + "\nextension\n",
        SOFA_TEXT.replace("example.com/behind-the-sofa", ""),
        SOFA_TEXT.replace("20852163", "020852163"),
        SOFA_TEXT.replace("20852163", "0x14"),
        SOFA_TEXT.replace("20852163", str(2**63)),
        SOFA_TEXT.replace("q2I=", "q2J="),
        SOFA_TEXT.replace("CsUY", ""),
        SOFA_TEXT.replace("20852163", "0"),
    ],
)
def test_what_is_not_exactly_a_checkpoint_is_refused(text):
    with pytest.raises(Malformed):
        parse_checkpoint(text)


def test_the_empty_tree_has_a_checkpoint():
    empty = Checkpoint(NAME, 0, EMPTY_ROOT)

    assert open_checkpoint(empty.sign(SIGNER).encode(), [SIGNER.verifier]) == empty


def test_a_checkpoint_counts_only_if_its_own_log_signed_it():
    elsewhere = Checkpoint("other.example/log", 3, CHECKPOINT.root)

    assert open_checkpoint(SIGNED.encode(), [SIGNER.verifier]) == CHECKPOINT
    assert open_checkpoint(SIGNED.encode(), [OTHER.verifier, SIGNER.verifier]) == CHECKPOINT
    with pytest.raises(NotSigned, match=r"other\.example/log"):
        open_checkpoint(elsewhere.sign(SIGNER).encode(), [SIGNER.verifier])
    with pytest.raises(NotSigned):
        open_checkpoint(SIGNED.encode(), [OTHER.verifier])
    with pytest.raises(NotSigned):
        open_checkpoint(SIGNED.encode(), [])


def test_a_checkpoint_signed_with_the_old_and_the_new_key_is_believed_by_holders_of_either():
    rotated = CHECKPOINT.sign(SIGNER, OTHER).encode()

    for each in (SIGNER, OTHER):
        assert open_checkpoint(rotated, [each.verifier]) == CHECKPOINT


def test_a_checkpoint_that_could_not_be_read_back_is_not_signed():
    for wrong in (CHECKPOINT._replace(origin=""), CHECKPOINT._replace(root=b"short")):
        with pytest.raises(Malformed):
            wrong.sign(SIGNER)


def test_the_specifications_cosignature_says_when():
    _, cosignature = parse_note(SOFA).signatures

    assert cosigned_at(cosignature.signature) == SOFA_COSIGNED_AT
    assert len(cosignature.signature) == 8 + 64


def test_a_cosignature_is_over_the_words_of_the_specification():
    cosignature = COSIGNER.cosign(SOFA_TEXT, SOFA_COSIGNED_AT)
    said = f"cosignature/v1\ntime {SOFA_COSIGNED_AT}\n{SOFA_TEXT}".encode()

    plain = Verifier("any", COSIGNER.verifier.public)
    assert plain.verifies(said.decode(), cosignature.signature[8:])
    assert COSIGNER.verifier.verifies(SOFA_TEXT, cosignature.signature)


def test_a_witness_key_is_of_its_own_type():
    key = Witness.parse(str(COSIGNER.verifier))

    assert b64decode(str(key).split("+", 2)[2])[0] == 4
    assert Cosigner.parse(COSIGNER.secret_text()).verifier == key
    assert Verifier(key.name, key.public).key_id != key.key_id
    with pytest.raises(Malformed):
        Witness.parse(SPEC_KEY)


def test_a_cosignature_of_another_time_text_or_length_is_none():
    text = CHECKPOINT.text
    made = COSIGNER.cosign(text, 7).signature
    verifies = COSIGNER.verifier.verifies

    assert verifies(text, made)
    assert not verifies(text, (8).to_bytes(8, "big") + made[8:])
    assert not verifies(text, (2**63).to_bytes(8, "big") + made[8:])
    assert not verifies(text + "more\n", made)
    assert not verifies("words\n", made)
    assert not verifies(text, made[8:])
    assert not verifies(text, made + b"\0")


def test_a_witness_signs_checkpoints_and_nothing_else_and_says_when():
    for text, at in ((TEXT, 1), (CHECKPOINT.text, -1), (CHECKPOINT.text, 2**63)):
        with pytest.raises(Malformed):
            COSIGNER.cosign(text, at)
    with pytest.raises(NotImplementedError):
        COSIGNER.sign(CHECKPOINT.text)
