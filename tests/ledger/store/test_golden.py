"""What was ever written can always be read: by its topic alone, to the same bytes."""

import json
import os
import re
import shutil
import subprocess
import sys
from uuid import UUID

import msgspec
import pytest
from eventsourcing.persistence import StoredEvent

from ledger.aggregates.donors import Donor
from ledger.kernel import aggregate
from ledger.kernel.aggregate import ENVELOPE, FACTS
from ledger.store.form import StoredForm, Unreadable
from tests.folders import GOLDEN, HOUSE
from tests.samples import SAMPLES
from tests.spec import FORM, STREAM

EVENTS = GOLDEN / "events.ndjson"
SOURCE = HOUSE / "src"


class Row(msgspec.Struct):
    """An event as the store keeps it: its topic, and the very bytes of its state."""

    topic: str
    state: msgspec.Raw


ROWS = [msgspec.json.decode(line, type=Row) for line in EVENTS.read_bytes().splitlines()]


def git(*words):
    """Ask git about this repository; ``None`` if there is none to ask."""
    program = shutil.which("git")
    if program is None:
        return None
    asked = subprocess.run([program, *words], cwd=HOUSE, capture_output=True, check=False)  # noqa: S603
    return asked.stdout if asked.returncode == 0 else None


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.topic)
def test_an_old_event_is_still_read(row):
    fact = FORM.read(row.topic, bytes(row.state))

    assert fact.salt
    assert type(fact) is FACTS.get(row.topic, type(fact))


@pytest.mark.parametrize(
    "row", [each for each in ROWS if each.topic in FACTS], ids=lambda row: row.topic
)
def test_it_would_be_written_again_to_the_same_bytes(row):
    stored = FORM.to_stored_event(FORM.read(row.topic, bytes(row.state)))

    assert (stored.topic, stored.state) == (row.topic, bytes(row.state))


@pytest.mark.parametrize("said", SAMPLES, ids=lambda said: said.kind.TOPIC)
def test_every_kind_of_event_has_a_golden_line(said):
    topics = {row.topic for row in ROWS}

    assert said.kind.TOPIC in topics, f"add this line to {EVENTS}:\n{said.golden()}"


def test_every_topic_has_a_sample():
    missing = set(FACTS) - {said.kind.TOPIC for said in SAMPLES}

    assert not missing, (
        f"add to {EVENTS} what `tests.spec.fact(…).golden()` says of each: {missing}"
    )


def test_the_golden_file_only_grows():
    name = EVENTS.relative_to(HOUSE).as_posix()
    commits = git("log", "--format=%H", "--", name)
    if not commits:
        pytest.skip("no git history here to compare with")

    today = set(EVENTS.read_bytes().splitlines())  # Two branches may both have added lines.
    for commit in commits.decode().split():
        once = git("show", f"{commit}:{name}")
        assert once, f"{name} was empty or missing in {commit}"
        gone = set(once.splitlines()) - today
        assert not gone, f"a line that stood in {commit} was altered"


def test_a_state_is_canonical_json():
    for row in ROWS:
        said = json.loads(bytes(row.state))

        written = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert written.encode() == bytes(row.state)


def test_every_state_says_who_when_where_and_under_which_command():
    for row in ROWS:
        assert set(ENVELOPE) <= set(json.loads(bytes(row.state)))


def test_no_class_or_module_is_named_in_what_is_stored():
    stored = EVENTS.read_text()
    classes = {kind.__name__ for kind in FACTS.values()} | {
        kind.__qualname__.split(".")[0] for kind in FACTS.values()
    }
    modules = {kind.__module__ for kind in FACTS.values()}

    assert not [name for name in classes | modules if re.search(rf"\b{name}\b", stored)]


READ_ALL = """
import sys
from ledger.kernel.aggregate import FACTS
from ledger.commands import Ledger
from ledger.store.form import StoredForm
import msgspec
form = StoredForm()
for line in open(sys.argv[1], "rb"):
    row = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    topic = msgspec.json.decode(row["topic"])
    fact = form.read(topic, bytes(row["state"]))
    assert form.to_stored_event(fact).state == bytes(row["state"])
print(FACTS["donor.registered.1"].__module__, FACTS["donor.registered.1"].__qualname__)
"""


def test_renaming_classes_and_moving_modules_loses_nothing(tmp_path):
    shutil.copytree(SOURCE, tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    nouns = tmp_path / "src/ledger/aggregates"
    (nouns / "donors.py").rename(nouns / "givers.py")
    for path in (tmp_path / "src").rglob("*.py"):
        text = path.read_text().replace("ledger.aggregates.donors", "ledger.aggregates.givers")
        text = re.sub(r"\bDonor\b", "Giver", text)
        path.write_text(re.sub(r"\bRegistered\b", "Welcomed", text))

    told = subprocess.run(  # noqa: S603  # Our own words.
        [sys.executable, "-c", READ_ALL, EVENTS],
        env=os.environ | {"PYTHONPATH": str(tmp_path / "src"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert told.stderr == ""
    assert told.stdout.split() == ["ledger.aggregates.givers", "Giver.Welcomed"]


# Reading what must not be believed, and what has another shape by now.

REGISTERED = next(row for row in ROWS if row.topic == "donor.registered.1")


def named(said):
    """Turn ``donor.registered.0``, which said ``named``, into what it became."""
    said["anonymous"] = not said.pop("named")
    return "donor.registered.1", said


def older(said):
    """Turn ``donor.welcomed.0`` into ``donor.registered.0``."""
    return "donor.registered.0", said


def test_a_retired_topic_is_read_as_what_it_became():
    said = json.loads(bytes(REGISTERED.state))
    said["named"] = not said.pop("anonymous")
    form = StoredForm({"donor.registered.0": named, "donor.welcomed.0": older})

    for topic in ("donor.registered.0", "donor.welcomed.0"):
        fact = form.read(topic, json.dumps(said).encode())

        assert fact == FORM.read("donor.registered.1", bytes(REGISTERED.state))


def test_an_upcast_that_leads_to_no_event_is_not_believed():
    form = StoredForm({"donor.registered.0": lambda said: ("donor.registered.9", said)})

    with pytest.raises(Unreadable, match=r"no event is called donor\.registered\.9"):
        form.read("donor.registered.0", bytes(REGISTERED.state))


@pytest.mark.parametrize(
    ("topic", "state"),
    [
        ("donor.registered.2", bytes(REGISTERED.state)),
        ("donor.registered.1", b""),
        ("donor.registered.1", b"{}"),
        ("donor.registered.1", b"[]"),
        ("donor.registered.1", b"\xff"),
        ("donor.registered.1", bytes(REGISTERED.state).replace(b"true", b"1")),
        ("donor.registered.1", bytes(REGISTERED.state).replace(b'"anonymous"', b'"anon"')),
        ("donor.registered.1", bytes(REGISTERED.state)[:-1] + b',"name":"Mei"}'),
        ("donor.registered.1", bytes(REGISTERED.state).replace(b'"lin"', b'"\xff"')),
        ("donor.unheard.1", b'"\xff"'),
    ],
)
def test_what_we_never_wrote_is_unreadable(topic, state):
    with pytest.raises(Unreadable):
        FORM.read(topic, state)


@pytest.mark.parametrize(
    ("stream", "version"), [(UUID(int=9), 1), (STREAM, 2)], ids=["stream", "version"]
)
def test_a_row_that_disagrees_with_its_columns_is_unreadable(stream, version):
    row = StoredEvent(stream, version, REGISTERED.topic, bytes(REGISTERED.state))

    with pytest.raises(Unreadable, match="belongs elsewhere"):
        FORM.to_domain_event(row)


# Two kinds of event never share a name.


def test_a_topic_is_given_once():
    with pytest.raises(TypeError, match=r"two kinds of event are called donor\.registered\.1"):
        type("Twin", (aggregate.Aggregate,), {"TOPIC": "donor", "Registered": Donor.Registered})


def test_a_topic_begins_with_its_aggregate():
    stray = type(
        "Stray", (aggregate.Fact,), {"TOPIC": "fund.strayed.1", "__annotations__": {}}, frozen=True
    )

    with pytest.raises(TypeError, match=r"fund\.strayed\.1 is not an event of a donor"):
        type("Other", (aggregate.Aggregate,), {"TOPIC": "donor", "Stray": stray})


def test_a_fact_is_applied_in_one_place():
    marked = aggregate.event(Donor.Registered)(lambda *_: None)

    with pytest.raises(TypeError, match="is applied twice"):
        type("Double", (aggregate.Aggregate,), {"TOPIC": "donor", "one": marked, "two": marked})
