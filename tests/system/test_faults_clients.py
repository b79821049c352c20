"""Whoever hangs up in mid-request leaves the whole command or nothing, and a server in health."""

import json
import socket
from contextlib import closing

from api.kernel.desk import command_id
from tests.faults import PLEDGED
from tests.office import DAY, Office
from tests.oracle import SentCommand, check
from tests.server import serving
from tests.stores import busy

CALLERS = 60


def hang_up(server, person, body, key, *, sent):
    """Send so much of a request, and go."""
    head = (
        f"POST /v1/donations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\n"
        f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    whole = head + body
    _, _, port = server.url.rpartition(":")
    with closing(socket.create_connection(("127.0.0.1", int(port)))) as caller:
        caller.sendall(whole[: int(len(whole) * sent)])


def test_who_hangs_up_leaves_all_or_nothing_and_may_ask_again(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    with serving(data) as server:
        office = Office(server)
        fund, donor = office.fund(), office.donor()
        before = server.position()
        said = {"donor": donor, "fund": fund, "amount": 100, "currency": "CNY", "pledged_on": DAY}
        body = json.dumps(said).encode()
        with busy(data / "ledger.db"):  # So that each hangs up before it could be answered.
            for n in range(CALLERS):
                hang_up(server, office.lin, body, f"gone-{n}", sent=1 if n % 2 else 0.9)
            assert server.public.get("/healthz").status_code == 200

        again = [office.lin.post("/v1/donations", said, key=f"gone-{n}") for n in range(CALLERS)]

        assert {each.status_code for each in again} == {201}
        assert server.position() == before + CALLERS
        assert office.balance(fund)["pledged"] == CALLERS * 100
        assert "leifeng_queue 0.0" in server.public.get("/metrics").text
        person = server.identity.caller(office.lin.token).person
        asked = [
            SentCommand(command_id(person, f"gone-{n}"), PLEDGED, each.json())
            for n, each in enumerate(again)
        ]
    assert check(data / "ledger.db", data / "views.db", asked) == before + CALLERS
