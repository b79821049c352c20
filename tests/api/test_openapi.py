"""The document that describes the API, held to what the server does."""

import json
import re
import subprocess
import sys
from uuid import UUID

import pytest

from ledger.kernel.roles import Role
from tests.folders import TESTS
from tests.golden import document
from tests.processes import ENVIRONMENT
from tests.world import PROBLEM

HOOKS = TESTS / "schemathesis_hooks.py"

HELD_TO = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)


def schemathesis(world, tmp_path, *options):
    """Let schemathesis ask, half of the time about things that are there."""
    there = {
        "donor_id": world.donor,
        "donation_id": world.open,
        "sale_id": world.selling,
        "disbursement_id": world.requested,
        "code": world.rich,
    }
    config = tmp_path / "schemathesis.toml"
    config.write_text(
        f'hooks = "{HOOKS}"\n[generation]\ndeterministic = true\ndatabase = "none"\n'
        "[parameters]\n" + "".join(f'"path.{name}" = "{thing}"\n' for name, thing in there.items()),
        encoding="utf-8",
    )
    url = f"{world.office.server.url}/openapi.json"
    asked = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", url]
    checks = ["--checks", ",".join(HELD_TO), "--no-color", "--warnings", "off"]
    return subprocess.run(  # noqa: S603  # Our own command.
        [*asked, *checks, "--continue-on-failure", "--no-shrink", *options],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


EVERY_HAT = [each for each in Role if each not in {Role.DONOR, Role.PARTNER, Role.ADMIN}]
"""All that can be worn at once without standing in each other's way."""


SHORT = ("--phases", "fuzzing", "--max-examples", "1")
LONG = ("--max-examples", "5")


@pytest.mark.parametrize(
    "phases", [SHORT, pytest.param(LONG, marks=pytest.mark.slow)], ids=["short", "long"]
)
def test_nothing_breaks_and_nothing_undocumented_is_answered(world, tmp_path, phases):
    token = world.office.server.person("all hats", *EVERY_HAT).token

    ran = schemathesis(world, tmp_path, "-H", f"Authorization: Bearer {token}", *phases)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert phases is SHORT or "Coverage" in ran.stdout
    assert f"Tested: {len(OPERATIONS)}" in ran.stdout


@pytest.mark.parametrize(
    "role", [None, *(pytest.param(each, marks=pytest.mark.slow) for each in Role)], ids=str
)
def test_nor_to_anybody_with_one_role_or_none(world, tmp_path, role):
    mine = {Role.DONOR: {"donor": world.donor}, Role.PARTNER: {"sale": world.selling}}
    shown = ()
    if role is not None:
        token = world.office.server.person(f"a {role}", role, **mine.get(role, {})).token
        shown = ("-H", f"Authorization: Bearer {token}")

    ran = schemathesis(world, tmp_path, *shown, *SHORT)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"Tested: {len(OPERATIONS)}" in ran.stdout


DOCUMENT = document()

OPERATIONS = [
    (method.upper(), path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
]

COMMANDS = [(path, operation) for method, path, operation in OPERATIONS if method == "POST"]


def resolved(schema):
    """Follow a reference to what it names."""
    name = schema.get("$ref", "").rpartition("/")[2]
    return DOCUMENT["components"]["schemas"][name] if name else schema


def problems(operation, status):
    answer = operation["responses"].get(str(status), {"content": {PROBLEM: {"examples": {}}}})
    return set(answer["content"][PROBLEM]["examples"])


def test_the_served_document_is_this_one(world):
    assert world.documented == DOCUMENT["paths"]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_operation_says_what_it_does_and_returns(method, path, operation):
    assert operation["summary"].strip()
    assert operation["description"].strip().endswith(".")
    done = {status: each for status, each in operation["responses"].items() if status[0] == "2"}
    assert len(done) == 1 or done.keys() == {"200", "201"}  # The former of a dry run.
    for each in done.values():
        assert all(content["schema"] for content in each["content"].values()), (method, path)


@pytest.mark.parametrize(("path", "operation"), COMMANDS)
def test_every_command_shows_an_example_of_its_body(path, operation):
    (content,) = operation["requestBody"]["content"].values()
    shown = content.get("example") or resolved(content["schema"])["examples"][0]

    if isinstance(shown, str):
        assert json.loads(shown)
    else:
        schema = resolved(content["schema"])
        assert schema.get("required") or not schema.get("properties"), path
        assert shown.keys() >= set(schema.get("required", ())), path


@pytest.mark.parametrize(("path", "operation"), COMMANDS)
def test_every_example_can_be_read(world, path, operation):
    (content,) = operation["requestBody"]["content"].values()
    shown = content.get("example") or resolved(content["schema"])["examples"][0]
    there = re.sub(
        r"\{code\}",
        "F-NONE",
        re.sub(r"\{\w+_id\}", str(UUID(int=1)), path.replace("{token_id}", "0" * 16)),
    )
    for_admins = Role.ADMIN in operation["x-roles"]
    somebody = world.office.ada if for_admins else world.office.server.person("hats", *EVERY_HAT)

    send = somebody.feed if isinstance(shown, str) else somebody.post
    answer = send(there, shown)

    assert answer.status_code != 422, answer.text


@pytest.mark.parametrize(("path", "operation"), COMMANDS)
def test_every_command_documents_what_stands_at_its_door(path, operation):
    (key,) = (each for each in operation["parameters"] if each["in"] == "header")

    assert (key["name"], key["required"]) == ("Idempotency-Key", True)
    assert operation["security"] == [{"bearer": []}]
    assert operation["x-roles"]
    assert problems(operation, 400) == {"idempotency-key-required", "message-unreadable"}
    assert problems(operation, 401) == {"unauthenticated"}
    assert {"role-forbidden", "cross-site"} <= problems(operation, 403)
    assert problems(operation, 413) == {"too-large"}
    assert problems(operation, 422) == {"invalid-request", "idempotency-mismatch"}
    assert "conflict" in problems(operation, 409)
    assert "overloaded" in problems(operation, 503)
    assert ("not-found" in problems(operation, 404)) == names_something(path, operation), path


def names_something(path, operation):
    """Say whether a command names what must be there: in its path, or as a noun of its body."""
    (content,) = operation["requestBody"]["content"].values()
    fields = resolved(content["schema"]).get("properties", {})
    return "{" in path or any(f"/v1/{field}s" in DOCUMENT["paths"] for field in fields)


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_operation_documents_what_the_gate_refuses(method, path, operation):
    assert "message-unreadable" in problems(operation, 400)
    assert ("cross-site" in problems(operation, 403)) == (method == "POST"), path
    assert problems(operation, 408) == {"too-slow"}
    assert problems(operation, 414) == {"target-too-long"}
    assert problems(operation, 421) == {"host-unknown"}
    assert "invalid-request" in problems(operation, 422)
    assert problems(operation, 429) == {"too-often"}
    assert problems(operation, 431) == {"head-too-large"}
    assert "overloaded" in problems(operation, 503)


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS)
def test_every_reader_may_ask_for_a_position(method, path, operation):
    asked = {each["name"] for each in operation.get("parameters", ())}

    assert ("at_least" in asked) == (method == "GET" and path.startswith("/v1/"))


def test_every_refusal_has_its_rule_for_a_title():
    for _, _, operation in OPERATIONS:
        for status, answer in operation["responses"].items():
            for name, shown in (
                answer.get("content", {}).get(PROBLEM, {}).get("examples", {}).items()
            ):
                assert shown["value"]["type"] == f"/problems/{name}"
                assert shown["value"]["status"] == int(status)
                assert shown["value"]["title"] == shown["summary"] != ""
