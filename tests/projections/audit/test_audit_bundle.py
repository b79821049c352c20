"""The auditor's bundle: a folder of files, written whole, and examined without a database."""

import json
import shutil

import pytest

from ledger.store.copying import NotEmpty
from ledger.transparency.note import Signer
from ledger.transparency.policy import Policy, parse_policy
from projections.audit.bundle import Bundle, NotABundle
from projections.audit.examine import examine
from projections.audit.export import Export, write
from tests.log_made import TRUST, Made, signed, years


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    made = Made(years(1_000))
    made.published = {f"checkpoints/{size}": signed(made.stored[:size]) for size in (1, 300, 999)}
    folder = tmp_path_factory.mktemp("audit") / "bundle"
    write(Export(made, TRUST), folder)
    return folder


@pytest.fixture
def folder(written, tmp_path):
    return shutil.copytree(written, tmp_path / "bundle")


def found(folder):
    """Examine a bundle wholly, and return what was found."""
    bundle = Bundle(folder)
    examined = examine(bundle, TRUST)
    return [*examined.findings, *bundle.beside(examined.checkpoint)]


def test_a_bundle_is_found_right_and_has_everything(folder):
    examined = examine(Bundle(folder), TRUST)

    assert found(folder) == []
    assert examined.earlier == 3
    assert {each.name for each in folder.iterdir()} == {
        "books",
        "checkpoint",
        "checkpoints",
        "events.ndjson",
        "manifest.json",
        "policy",
        "tile",
    }


def test_its_events_are_a_line_each_as_they_are_stored(folder):
    lines = (folder / "events.ndjson").read_text(encoding="ascii").splitlines()

    assert len(lines) == len(years(1_000))
    assert list(json.loads(lines[0])) == ["nid", "oid", "over", "topic", "state"]


def test_its_policy_names_the_log_and_is_read_by_what_reads_policies(folder):
    assert parse_policy((folder / "policy").read_bytes()) == TRUST


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("tile/0/000", "tile-differs"),
        ("tile/0/003.p/*", "tile-differs"),
        ("tile/1/000.p/3", "tile-differs"),
        ("tile/entries/001", "entries-differ"),
        ("books/ledger.beancount", "file-differs book-differs"),
        ("books/ledger.journal", "file-differs book-differs"),
        ("manifest.json", "file-differs"),
        ("policy", "file-differs"),
        ("checkpoint", "checkpoint-refused"),
    ],
)
def test_a_file_that_was_changed_is_named(folder, path, name):
    (file,) = folder.glob(path)
    content = file.read_bytes()
    middle = len(content) // 2
    file.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])

    bundle = Bundle(folder)
    examined = examine(bundle, TRUST)
    beside = bundle.beside(examined.checkpoint) if examined.checkpoint else ()

    assert {each.name for each in (*examined.findings, *beside)} == set(name.split())


def test_an_earlier_checkpoint_that_was_changed_is_named(folder):
    kept = folder / "checkpoints/300"
    kept.write_bytes(kept.read_bytes().replace(b"\n300\n", b"\n299\n"))

    (finding,) = found(folder)

    assert finding.name == "pin-refused"
    assert "checkpoints/300" in str(finding)


@pytest.mark.parametrize(
    "path", ["tile/0/001", "tile/entries/000", "books/ledger.journal", "policy"]
)
def test_a_file_that_is_gone_is_missed(folder, path):
    (folder / path).unlink()

    assert path in " ".join(map(str, found(folder)))


def test_a_balance_that_was_changed_is_named(folder):
    path = folder / "books/balances.json"
    said = json.loads(path.read_text(encoding="utf-8"))
    fund = next(iter(said["funds"]))
    said["funds"][fund]["received"] += 1
    path.write_text(json.dumps(said), encoding="utf-8")

    assert [each.name for each in found(folder)] == ["figure-differs", "file-differs"]
    assert f"funds {fund} received" in str(found(folder)[0])


def test_a_book_with_a_line_more_is_named(folder):
    book = folder / "books/ledger.beancount"
    lines = book.read_text(encoding="utf-8").count("\n")
    with book.open("a", encoding="utf-8") as file:
        file.write("; and more\n")

    assert f"from line {lines + 1} on" in str(found(folder)[-1])


@pytest.mark.parametrize("line", [b"\n", b"{}\n", b"\xff\n", b'{"nid":1', b"[" * 100_000])
def test_a_line_that_is_no_event_is_named(folder, line):
    events = folder / "events.ndjson"
    events.write_bytes(line + events.read_bytes())

    examined = examine(Bundle(folder), TRUST)

    assert [each.name for each in examined.findings] == ["file-differs"]
    assert "events.ndjson, line 1" in str(examined.findings[0])


def test_a_key_inside_the_folder_is_never_trusted(folder):
    stranger = Signer("charity.example/ledger", b"y" * 32)
    rows = years(1_000)
    (folder / "checkpoint").write_bytes(signed(rows, stranger))
    (folder / "policy").write_bytes(Policy((stranger.verifier,)).encode())

    assert [each.name for each in examine(Bundle(folder), TRUST).findings] == ["checkpoint-refused"]


def test_an_export_says_how_far_it_is_until_it_is_done(tmp_path):
    made, told = Made(years(1_000)), []

    write(Export(made, TRUST, lambda *far: told.append(far)), tmp_path / "bundle")

    reached = [read for read, _ in told]
    (goal,) = {goal for _, goal in told}
    assert reached == sorted(set(reached))
    assert reached[0] < len(made.stored) < goal == reached[-1]


def test_a_bundle_is_never_written_over_anything(folder):
    with pytest.raises(NotEmpty):
        write(Export(Made(years(1_000)[:10]), TRUST), folder)


def test_a_bundle_that_could_not_be_finished_is_not_there(tmp_path):
    made = Made(years(1_000))
    made.stored[500] = made.stored[500]._replace(state=b"{}")

    with pytest.raises(Exception, match="Object missing"):
        write(Export(made, TRUST), tmp_path / "bundle")

    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_checkpoint_is_no_bundle(tmp_path):
    with pytest.raises(NotABundle):
        Bundle(tmp_path)
