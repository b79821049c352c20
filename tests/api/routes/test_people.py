"""Admins let people in over HTTP, and take it back; the command line does the same meanwhile."""

import re
from uuid import uuid4

import pytest

from ledger.kernel.roles import Role
from tests.processes import ENVIRONMENT, leifeng, started
from tests.server import serving


@pytest.fixture
def ada(office):
    return office.ada


def add(ada, name, *roles, **said):
    return ada.did("/v1/people", {"name": name, "roles": list(roles)}, **said)["id"]


def token_of(ada, person, *roles, **said):
    body = {"name": "program", "roles": list(roles), "days": 30} | said
    return ada.did(f"/v1/people/{person}/tokens", body)


def comes_in(server, token):
    return server.bearer(token).get("/v1/audit-trail").status_code


def test_an_admins_grant_is_history_and_names_nobody(office, ada):
    person = add(ada, "欧阳一", "bookkeeper")
    ada.did(f"/v1/people/{person}/roles", {"roles": ["auditor"]})
    ada.did(f"/v1/people/{person}/roles/withdrawal", {"roles": ["bookkeeper"]})
    ada.did(f"/v1/people/{person}/disabling", {})

    events = office.an.all("/v1/events", stream=person)
    assert [(each["type"], each["data"].get("roles")) for each in events] == [
        ("person.added.1", None),
        ("person.roles-granted.1", ["bookkeeper"]),
        ("person.roles-granted.1", ["auditor"]),
        ("person.roles-withdrawn.1", ["bookkeeper"]),
        ("person.disabled.1", None),
    ]
    assert {each["role"] for each in events} == {"admin"}
    assert "欧阳一" not in str(events)
    shown = ada.read(f"/v1/people/{person}")
    assert (shown["name"], shown["roles"]) == ("欧阳一", [])
    assert shown["disabled_at"]


def test_it_is_not_shown_to_the_public(office, ada):
    person = add(ada, "欧阳二", "bookkeeper")
    (first, *_) = office.an.all("/v1/events", stream=person)

    page = office.public.http.get(f"/events/{first['position']}", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "欧阳二" not in page.text
    assert person not in page.text
    assert "bookkeeper" not in page.text


def test_a_repeat_is_answered_alike_and_another_of_the_name_is_refused(ada):
    body = {"name": "欧阳三", "roles": ["clerk"]}
    first, again = (ada.post("/v1/people", body, key="once") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"

    assert ada.post("/v1/people", body).json()["type"] == "/problems/person-known"
    both = {"name": "欧阳四", "roles": ["admin", "cashier"]}
    assert ada.post("/v1/people", both).json()["type"] == "/problems/admin-holds-money-role"
    assert "欧阳四" not in str(ada.all("/v1/people"))


def test_a_role_that_is_taken_is_gone_with_the_next_request(server, ada):
    person = add(ada, "欧阳五", "bookkeeper", "auditor")
    token = token_of(ada, person, "bookkeeper")["token"]
    assert comes_in(server, token) == 200

    ada.did(f"/v1/people/{person}/roles/withdrawal", {"roles": ["bookkeeper"]})
    assert comes_in(server, token) == 403
    ada.did(f"/v1/people/{person}/disabling", {})
    assert comes_in(server, token) == 401


def test_a_token_is_made_listed_rotated_and_revoked(server, ada):
    person = add(ada, "欧阳六", "bookkeeper")
    made = token_of(ada, person, "bookkeeper")
    assert comes_in(server, made["token"]) == 200
    new = ada.did(f"/v1/people/{person}/tokens/{made['id']}/rotation", {"overlap_hours": 1})
    assert comes_in(server, made["token"]) == comes_in(server, new["token"]) == 200
    ada.did(f"/v1/people/{person}/tokens/{new['id']}/revocation", {})
    assert (comes_in(server, made["token"]), comes_in(server, new["token"])) == (200, 401)

    listed = ada.read(f"/v1/people/{person}/tokens")
    assert {each["id"] for each in listed["items"]} == {made["id"], new["id"]}
    assert {each["name"] for each in listed["items"]} == {"program"}
    assert all(each["expires_at"] and each["used_on"] for each in listed["items"])
    assert made["token"] not in str(listed)


def test_whoever_lost_the_answer_asks_again_and_has_the_same_token(ada):
    person = add(ada, "欧阳七", "clerk")
    path, body = f"/v1/people/{person}/tokens", {"name": "x", "roles": ["clerk"], "days": 9}
    first, again = (ada.did(path, body, key="lost") for _ in range(2))
    assert first["token"] == again["token"]
    assert len(ada.read(path)["items"]) == 1

    other = ada.post(path, body | {"name": "y"}, key="lost")
    assert (other.status_code, other.json()["fields"]) == (422, ["name"])


def test_a_token_does_not_go_beyond_its_person(ada):
    person = add(ada, "欧阳八", "clerk")
    body = {"name": "x", "roles": ["clerk", "cashier"], "days": 9}

    refused = ada.post(f"/v1/people/{person}/tokens", body)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/beyond-roles")


def test_an_admin_does_not_change_their_own_roles(server, ada):
    mine = server.identity.users.known("ada")

    refused = ada.post(f"/v1/people/{mine}/roles", {"roles": ["clerk"]})
    assert refused.json()["type"] == "/problems/own-roles"


@pytest.mark.parametrize("path", ["", "/tokens"])
def test_nobody_of_an_unknown_id_is_shown(ada, path):
    assert ada.get(f"/v1/people/{uuid4()}{path}").status_code == 404


# The command line, while the server runs.


def test_a_token_made_while_the_server_runs_is_history_before_it_is_printed(server, office):
    before = server.position()
    made = leifeng(
        *("token", "create", "--data", server.data, "--person", "司马一"),
        *("--role", "bookkeeper", "--name", "laptop", "--days", "30"),
    )

    assert made.returncode == 0, made.stderr
    assert server.position() == before + 2
    assert comes_in(server, made.stdout.strip()) == 200
    (last,) = office.an.read("/v1/events", after=before + 1)["items"]
    assert (last["type"], last["actor"]) == ("person.roles-granted.1", "operator")


def test_people_are_added_listed_and_disabled_from_the_command_line(server):
    added = leifeng("person", "add", "司马二", "--role", "bookkeeper", "--data", server.data)
    token = leifeng(
        *("token", "create", "--data", server.data, "--person", "司马二", "--role", "bookkeeper")
    ).stdout.strip()
    assert comes_in(server, token) == 200
    roles = leifeng(
        *("person", "roles", "司马二", "--data", server.data),
        *("--grant", "auditor", "--withdraw", "bookkeeper"),
    )
    assert roles.stdout == "auditor\n"
    listed = leifeng("token", "list", "--data", server.data, "--person", "司马二").stdout
    (token_id,) = re.findall(r"^ *([0-9a-f]{16}) ", listed, re.MULTILINE)
    assert token not in listed
    assert leifeng("person", "disable", "司马二", "--data", server.data).returncode == 0
    assert comes_in(server, token) == 401
    shown = leifeng("person", "list", "--data", server.data).stdout
    assert added.stdout.strip() in shown
    assert "司马二" in shown

    again = leifeng("token", "rotate", token_id, "--data", server.data, "--person", "nobody")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == "leifeng: nobody of this name is registered\n"


def test_an_admin_and_cashier_in_one_is_refused_and_nothing_is_kept(server):
    said = leifeng(
        *("token", "create", "--data", server.data, "--person", "司马三"),
        *("--role", "admin", "--role", "cashier"),
    )

    assert (said.returncode, said.stdout) == (1, "")
    assert "nobody is admin and any of" in said.stderr
    assert server.people_kept("司马三") == 0


def test_the_first_server_makes_an_admin_and_shows_the_token_once(tmp_path):
    data = tmp_path / "data"
    with serving(data):
        pass

    with serving(data) as server:
        said = server.log.read_text(encoding="utf-8")
        (token,) = re.findall(r"shown this once: (lf_\S+)", said)
        admin = server.bearer(token)
        (shown,) = admin.all("/v1/people")
        assert (shown["name"], shown["roles"]) == ("admin", ["admin"])
        assert server.position() == 2


def test_no_admin_is_made_where_somebody_is(tmp_path):
    data = tmp_path / "data"
    token = leifeng("token", "create", "--data", data, "--person", "Ada", "--role", "admin")
    with serving(data) as server:
        assert "first admin" not in server.log.read_text(encoding="utf-8")
        (shown,) = server.bearer(token.stdout.strip()).all("/v1/people")
        assert shown["name"] == "Ada"


def test_what_is_changed_while_no_server_runs_is_history_before_anybody_is_served(tmp_path):
    data = tmp_path / "data"
    leifeng("person", "add", "Ada", "--role", "admin", "--data", data)
    leifeng("person", "add", "Bo", "--role", "bookkeeper", "--data", data)
    with serving(data) as server:
        assert server.position() == 4


def test_a_server_that_is_killed_tells_the_rest_when_it_is_back(tmp_path):
    """Between the change of the register and the event, whenever that is."""
    data = tmp_path / "data"
    with serving(data, undisturbed=False) as server:
        made = [
            started(
                ["person", "add", f"p{number}", "--role", "clerk", "--data", str(data)],
                ENVIRONMENT,
                tmp_path / "said",
                tmp_path / "complained",
            )
            for number in range(3)
        ]
        made[0].wait()
        server.process.kill()
        for each in made:
            each.wait()
    with serving(data) as server:
        auditor = server.person("an", Role.AUDITOR)
        events = auditor.all("/v1/events")
        granted = [each["id"] for each in events if each["data"].get("roles") == ["clerk"]]

        assert len(granted) == len(set(granted)) == 3
        assert server.identity.users.pending() == []
