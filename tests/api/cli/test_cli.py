"""``leifeng`` as its users run it: in a process of its own, from a shell."""

import json
import signal
import socket
import sqlite3
import subprocess
from contextlib import closing

import httpx2
import pytest

from tests.processes import ENVIRONMENT, HOUSE, LEIFENG, TASK_S, leifeng
from tests.server import STOP_S, free_port, serving

HEAR = {
    "fund": "F-HEAR",
    "currency": "CNY",
    "received": 21_472_089,
    "reserved": 0,
    "paid": 19_675_000,
    "acknowledged": 19_675_000,
    "pledged": 130_000,
    "balance": 1_797_089,
    "available": 1_797_089,
}

COMMANDS = [
    "demo",
    "serve",
    "token",
    "token create",
    "replay",
    "export",
    "migrate",
    "copy",
    "backup",
    "restore",
]
COMMANDS += ["import", "rebuild", "generate"]


def from_a_shell(*words):
    """Run a command as a fresh interpreter."""
    return subprocess.run(  # noqa: S603  # Our own command.
        [*LEIFENG, *map(str, words)],
        cwd=HOUSE,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=TASK_S,
    )


def refused(ran, code, *saying):
    """See that a command ended so, with one sentence on stderr and nothing on stdout."""
    assert ran.returncode == code, ran
    (sentence,) = ran.stderr.splitlines()
    assert sentence.startswith("leifeng: ")
    assert ran.stdout == ""
    for each in saying:
        assert each in sentence


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A demo's folder, and what making it printed."""
    data = tmp_path_factory.mktemp("demo") / "data"
    ran = from_a_shell("demo", "--no-serve", "--data", data)
    assert ran.returncode == 0, ran.stderr
    return data, ran


# The demo.


def test_the_demo_tells_the_story_with_its_figures(demo):
    _, ran = demo

    for figure in (
        *("1,125 lines", "1,079 orders", "40 lines were repeats"),
        *("201,380.00", "3,708.00", "2,965.08", "1,186.03", "193,520.89"),
        *("214,720.89", "17,970.89", "F-HEAR", "F-GEN", "F-YOUTH", "ILLUSTRATIVE"),
    ):
        assert figure in ran.stdout, figure
    assert ran.stderr == ""


def test_the_demo_says_where_the_balance_comes_from(demo):
    _, ran = demo
    lines = ran.stdout.partition("come from:")[2].splitlines()
    came_from = {}
    for line in lines[1:]:
        amount, _, kind = line.strip().partition("  ")
        if "." not in amount or "." not in kind:
            break
        came_from[kind.strip()] = int(amount.replace(",", "").replace(".", ""))

    assert came_from["sale.remitted.1"] == 19_352_089
    assert sum(came_from.values()) == HEAR["balance"]


def test_a_demo_is_made_anew_in_its_own_folder_and_speaks_json(tmp_path):
    data = tmp_path / "data"
    first = leifeng("demo", "--no-serve", "--json", "--data", data)
    (data / "views.db").unlink()

    second = leifeng("demo", "--no-serve", "--json", "--data", data)

    said = [json.loads(ran.stdout) for ran in (first, second)]
    hear = next(each for each in said[0]["balances"] if each["fund"] == "F-HEAR")
    assert {name: hear[name] for name in HEAR} == HEAR
    assert said[0]["balances"] == said[1]["balances"]
    assert all(token.startswith("lf_") for token in said[0]["tokens"].values())
    assert first.stderr == second.stderr == ""


def test_a_demo_takes_the_place_of_nothing_else(tmp_path, here):
    (tmp_path / "letter.txt").write_text("keep me", encoding="utf-8")

    refused(here("demo", "--no-serve", "--data", tmp_path), 1, str(tmp_path))

    assert [each.name for each in tmp_path.iterdir()] == ["letter.txt"]


def test_the_demo_is_served_in_the_default_folder_with_the_tokens_it_printed(tmp_path):
    port = free_port()
    running = subprocess.Popen(  # noqa: S603  # Our own command.
        [*LEIFENG, "demo", "--json", "--port", str(port)],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with running:
        said = json.loads(running.stdout.readline())
        address = running.stderr.readline()
        auditor = next(token for name, token in said["tokens"].items() if "auditor" in name)
        transport = httpx2.HTTPTransport(retries=8)
        with httpx2.Client(transport=transport, base_url=f"http://127.0.0.1:{port}") as http:
            hear = http.get("/v1/funds/F-HEAR/balance").json()
            events = http.get("/v1/events", headers={"Authorization": f"Bearer {auditor}"}).json()
        running.send_signal(signal.SIGINT)
        running.wait(STOP_S)
        assert running.stderr.read() == ""

    assert f"http://127.0.0.1:{port}" in address
    assert {name: hear[name] for name in HEAR} == HEAR
    assert events["items"][0]["type"] == "person.added.1"
    assert (tmp_path / "demo-data" / "ledger.db").is_file()


# Serving, and letting people in.


def test_a_fresh_folder_is_served_and_a_token_lets_in(tmp_path):
    data = tmp_path / "fresh"
    token = leifeng(
        *("token", "create", "--data", data, "--person", "Sun", "--role", "treasurer")
    ).stdout.strip()

    with serving(data) as server:
        treasurer = server.bearer(token)  # Two events let her in, and two the first admin.
        body = {"code": "F-NEW", "name": "n", "restriction": "restricted", "purpose": "p"}
        assert treasurer.did("/v1/funds", body) == {"id": "F-NEW", "position": 5}


def test_a_token_is_all_that_is_printed(tmp_path, here):
    ran = here(
        *("token", "create", "--data", tmp_path, "--person", "a", "--role", "clerk"),
        *("--role", "donor", "--donor", "01a20737-75c3-7cc1-b1f2-e52f15c6c3a7"),
    )

    assert ran.stdout.strip().startswith("lf_")
    assert len(ran.stdout.split()) == 1
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_port_that_is_taken_is_refused(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        refused(leifeng("serve", "--data", tmp_path / "d", "--port", port), 1, str(port))


# The books in other formats.


@pytest.mark.parametrize("form", ["beancount", "hledger", "ndjson"])
def test_the_books_are_exported_to_a_file_or_to_standard_output(demo, tmp_path, form):
    data, _ = demo
    file = tmp_path / "books"

    printed = leifeng("export", form, "--data", data)
    written = leifeng("export", form, "--data", data, "-o", file)

    assert (printed.returncode, written.returncode) == (0, 0)
    assert written.stdout == written.stderr == printed.stderr == ""
    assert file.read_text(encoding="utf-8") == printed.stdout
    assert "F-HEAR" in printed.stdout


def test_exported_events_are_the_whole_history(demo, here):
    data, _ = demo
    lines = here("export", "ndjson", "--data", data).stdout.splitlines()

    with closing(sqlite3.connect(data / "ledger.db")) as stored:
        (count,) = stored.execute("SELECT count(*) FROM stored_events").fetchone()
    assert [json.loads(line)["position"] for line in lines] == list(range(1, count + 1))


# Usage.


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_tells_what_it_is_for(here, command):
    ran = here(*command.split(), "--help")

    assert ran.returncode == 0
    assert "Usage:" in ran.stdout
    assert "--help" in ran.stdout
    assert ran.stderr == ""


def test_help_names_every_command():
    ran = from_a_shell("--help")

    assert ran.returncode == 0
    assert all(each.split()[0] in ran.stdout for each in COMMANDS)


@pytest.mark.parametrize(
    "words",
    [
        ["audit-everything"],
        ["serve"],
        ["serve", "--data", "x", "--port", "many"],
        ["serve", "--data", "x", "--port", "65536"],
        ["demo", "--colour"],
        ["export", "ods", "--data", "x"],
        ["export", "--data", "x"],
        ["replay"],
        ["replay", "--data", "x", "--until", "-1"],
        ["token", "create", "--data", "x", "--person", "a"],
        ["token", "create", "--data", "x", "--role", "clerk"],
        ["token", "create", "--data", "x", "--person", "a", "--role", "king"],
        ["token", "create", "--data", "x", "--person", " ", "--role", "clerk"],
        ["token", "create", "--data", "x", "--person", "a", "--role", "partner"],
        ["token", "create", "--data", "x", "--person", "a", "--role", "donor", "--donor", "me"],
    ],
    ids=" ".join,
)
def test_bad_usage_ends_with_2_and_one_sentence(tmp_path, monkeypatch, here, words):
    monkeypatch.chdir(tmp_path)

    refused(here(*words), 2)

    assert list(tmp_path.iterdir()) == []


def test_bad_usage_and_a_refused_task_end_a_real_process_so_too(tmp_path):
    refused(from_a_shell("replay", "--data", tmp_path, "--until", "x"), 2, "--until")
    refused(from_a_shell("replay", "--data", tmp_path), 1, str(tmp_path))


@pytest.mark.parametrize(
    "words",
    [["replay"], ["rebuild"], ["export", "ndjson"], ["export", "beancount", "-o", "books"]],
)
def test_a_command_about_a_ledger_needs_one(tmp_path, monkeypatch, here, words):
    monkeypatch.chdir(tmp_path)

    refused(here(*words, "--data", "none"), 1, "none")

    assert list(tmp_path.iterdir()) == []


OPENED = [
    (["replay"], "ledger.db"),
    (["replay"], "views.db"),
    (["rebuild"], "ledger.db"),
    (["rebuild"], "views.db"),
    (["export", "ndjson"], "ledger.db"),
    (["serve"], "ledger.db"),
    (["serve"], "views.db"),
    (["serve"], "people.db"),
]
"""Commands, and the files that they have to do with."""


@pytest.mark.parametrize(("words", "file"), OPENED)
def test_what_is_no_database_is_refused_and_left_alone(tmp_path, demo, here, words, file):
    data, _ = demo
    copied = tmp_path / "data"
    copied.mkdir()
    for each in ("ledger.db", "views.db", "people.db"):
        (copied / each).write_bytes((data / each).read_bytes())
    (copied / file).write_bytes(b"this is no database" * 100)

    refused(here(*words, "--data", copied), 1)

    assert (copied / file).read_bytes() == b"this is no database" * 100


def test_an_export_that_cannot_be_written_is_refused(demo, tmp_path, here):
    data, _ = demo

    refused(here("export", "ndjson", "--data", data, "-o", tmp_path / "no" / "file"), 1, "file")


def test_a_data_folder_that_is_a_file_is_refused(tmp_path, here):
    (tmp_path / "file").write_text("x", encoding="utf-8")

    refused(here("replay", "--data", tmp_path / "file"), 2, "file")
