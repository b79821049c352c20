"""The log tells who nobody is and by what nobody comes in, even where something breaks."""

import json
import re
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from ledger.kernel.roles import Role
from tests.api.pages.test_sign_in import PASSWORD, browser, set_up_second_factor, sign_in
from tests.office import Office
from tests.processes import leifeng
from tests.server import serving
from tests.stores import connected

NAME, DONOR, PHONE, EMAIL = "言无声", "密不可说", "13900001111", "mi@example.org"
WRONG = "some words that are nobody's"

ABOUT = {"name": DONOR, "phone": PHONE, "email": EMAIL}


def come_in(client, where):
    """Be invited, choose a password, set up a second factor; say all that was secret of it."""
    chosen = client.post(where, data={"password": PASSWORD, "again": PASSWORD})
    assert chosen.status_code == 303, chosen.text
    first = client.cookies["session"]
    secret, codes = set_up_second_factor(client)
    second = client.cookies["session"]
    client.post("/sign-out")
    for said in ({"password": WRONG}, {"code": "123456"}, {"code": codes[0][:-1]}):
        assert sign_in(client, NAME, **said).status_code == 403
    assert sign_in(client, NAME, code=codes[0]).status_code == 303
    shown = {first, second, client.cookies["session"], secret, *codes}
    return shown | {where.rpartition("/")[2], PASSWORD, WRONG}


def give(client):
    """Say in a form who gives, wrongly and rightly."""
    given = {"fund": "F-NONE", "amount": "100.00", "key": "k"} | ABOUT
    for said in (given | {"name": f"{DONOR}\0"}, given | {"email": EMAIL * 30}, given):
        answer = client.post("/give/who", data=said)
        assert answer.status_code in {303, 404, 422}, answer.text
    assert DONOR in client.get("/mine/data").text


def ask_by_address(client, token):
    """Say it where an address or a header is expected."""
    for path in (f"/{DONOR}", f"/mine/{PHONE}", f"/mine?{quote(DONOR)}={EMAIL}", f"/%00{PHONE}"):
        assert client.get(path, headers={"Authorization": f"Bearer {token}"}).status_code < 500


def break_all(server, client, lin):
    """Spoil the register in two ways; return what is answered to those who need it."""
    with connected(server.people) as register:
        register.execute("UPDATE sessions SET seen_at = 'no time'")
        yet = [client.get("/mine/data")]
        register.execute("DROP TABLE sealed")
    give = lin.post("/v1/donors", ABOUT | {"anonymous": True})
    return [*yet, give, sign_in(client, NAME, password=PASSWORD)]


@pytest.fixture(name="told", scope="module")
def _told(tmp_path_factory):
    """Let somebody come in and give, break the register under them; return secrets and log."""
    data = tmp_path_factory.mktemp("told") / "data"
    with serving(data, undisturbed=False) as server, browser(server) as client:
        server.identity.users.enrol(NAME, [Role.DONOR, Role.CASHIER], datetime.now(UTC))
        where = leifeng("person", "invite", NAME, "--data", data).stdout.strip()
        secrets = come_in(client, where)
        give(client)
        lin = Office(server).lin
        assert lin.post("/v1/donors", ABOUT | {"anonymous": True}).status_code == 201
        assert lin.post("/v1/donors", ABOUT | {"anonymous": f"{DONOR}{PHONE}"}).status_code == 422
        ask_by_address(client, lin.token)
        broken = break_all(server, client, lin)
    return secrets | {lin.token}, broken, server.log.read_text(encoding="utf-8")


def spelled(said):
    """Return how something may have been written on its way."""
    return {said, quote(said), json.dumps(said).strip('"'), repr(said.encode())[2:-1]}


def test_something_did_break(told):
    _, broken, log = told

    assert [each.status_code for each in broken] == [500, 503, 500]
    assert "Traceback" in log
    assert "no such table: sealed" in log, "the operator is told what strangers are not"


def test_no_secret_is_in_the_log(told):
    secrets, _, log = told

    assert len(secrets) > 15
    assert [each for each in secrets if spelled(each) & set(re.findall(r"[^\s'\"(),]+", log))] == []
    assert [each for each in secrets if len(each) > 6 and each in log] == []


@pytest.mark.parametrize("said", [NAME, DONOR, PHONE, EMAIL])
def test_nobodys_name_or_number_is_in_the_log(told, said):
    assert [each for each in spelled(said) if each in told[2]] == []


def test_what_broke_is_answered_without_a_word_of_it(told):
    secrets, broken, _ = told

    for answer in broken:
        for each in ("Traceback", "sqlite", "sealed", DONOR, PHONE, EMAIL, *secrets):
            assert each not in answer.text
