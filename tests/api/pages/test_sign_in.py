"""How people come in with a browser: invited once, by a password, some by a second factor too."""

import re
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pyotp
import pytest

from ledger.kernel.roles import Role
from ledger.people.tables import SESSIONS
from tests.processes import leifeng
from tests.server import ANSWER_S, TLS, serving
from tests.signed_in import Visitor

PASSWORD = "four words nobody puts together"  # noqa: S105  # Of nobody.

SAME = {"Sec-Fetch-Site": "same-origin"}


@contextmanager
def browser(server):
    """Somebody's browser: it keeps cookies, and says whose page sends what."""
    with httpx2.Client(base_url=server.url, timeout=ANSWER_S, headers=SAME, verify=TLS) as client:
        yield client


def on_the_roll(server, name, *roles):
    """Have somebody on the roll who chose a password."""
    identity, now = server.identity, datetime.now(UTC)
    person = identity.users.enrol(name, roles, now)
    identity.passwords.choose(person, PASSWORD, now)
    return person


def sign_in(client, name, password=PASSWORD, **said):
    return client.post("/sign-in", data={"name": name, "password": password} | said)


def codes_of(text):
    return re.findall(r"<li><code>([a-z2-7]+)</code></li>", text)


def set_up_second_factor(client):
    """Set one up as a person does; return the application's secret and the recovery codes."""
    shown = client.post("/account/second-factor", data={"old": PASSWORD})
    assert shown.status_code == 200, shown.text
    secret = re.search(r"<p><code>([A-Z2-7]+)</code></p>", shown.text).group(1)
    assert "<svg" in shown.text
    code = pyotp.TOTP(secret).now()
    done = client.post("/account/second-factor/confirmation", data={"code": code})
    assert done.status_code == 200, done.text
    return secret, codes_of(done.text)


def test_whoever_is_not_signed_in_is_sent_to_where_they_can(server):
    with browser(server) as client:
        answer = client.get("/account")

        assert answer.status_code == 303
        assert answer.headers["location"] == "/sign-in?next=%2Faccount"
        assert client.get("/sign-in").status_code == 200


def test_an_invited_person_chooses_a_password_and_is_signed_in(server):
    person = server.identity.users.enrol("林一", [Role.CLERK], datetime.now(UTC))
    made = leifeng("person", "invite", "林一", "--data", server.data)
    assert made.returncode == 0, made.stderr
    where = made.stdout.strip()
    with browser(server) as client:
        assert "林一" in client.get(where).text
        short = client.post(where, data={"password": "short", "again": "short"})
        unequal = client.post(where, data={"password": PASSWORD, "again": PASSWORD + "!"})
        assert (short.status_code, unequal.status_code) == (422, 422)
        chosen = client.post(where, data={"password": PASSWORD, "again": PASSWORD})
        assert (chosen.status_code, chosen.headers["location"]) == (303, "/home")
        assert "林一" in client.get("/account").text

        again = client.post(where, data={"password": PASSWORD, "again": PASSWORD})
        assert again.status_code == 409
    assert server.identity.passwords.is_of(person, PASSWORD)


def test_a_session_is_a_cookie_that_no_script_reads_and_ends_with_sign_out(server):
    on_the_roll(server, "王二", Role.BOOKKEEPER)
    with browser(server) as client:
        cookie = sign_in(client, "王二").headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert client.get("/account").headers["cache-control"] == "no-store"
        secret = client.cookies["session"]

        client.post("/sign-out")
        client.cookies.set("session", secret)

        assert client.get("/account").status_code == 303


def test_over_https_the_cookie_is_of_this_host_alone(server):
    on_the_roll(server, "王三", Role.BOOKKEEPER)
    with browser(server) as client:
        client.headers["X-Forwarded-Proto"] = "https"  # As a proxy on this machine says it.
        cookie = sign_in(client, "王三").headers["set-cookie"]

    assert cookie.startswith("__Host-session=")
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_only_a_hash_of_what_a_browser_holds_is_kept(server):
    on_the_roll(server, "王四", Role.BOOKKEEPER)
    with browser(server) as client:
        sign_in(client, "王四")
        secret = client.cookies["session"]

    kept = b"".join(path.read_bytes() for path in Path(server.data).glob("people.db*"))
    assert secret.encode() not in kept
    assert PASSWORD.encode() not in kept
    assert b"$argon2id$" in kept


@pytest.mark.parametrize(
    ("name", "password"), [("王五", PASSWORD + "x"), ("nobody", PASSWORD), ("", ""), ("王五", "")]
)
def test_it_is_not_said_what_was_wrong(server, name, password):
    on_the_roll(server, "王五", Role.BOOKKEEPER)
    with browser(server) as client:
        answer = sign_in(client, name, password)

        assert answer.status_code == 403
        assert "姓名、密码与验证码不匹配" in answer.text
        assert "session" not in client.cookies
    server.identity.users.known("王五")


def test_whoever_guesses_has_to_wait(tmp_path):
    with serving(tmp_path / "data") as server, browser(server) as client:
        on_the_roll(server, "赵六", Role.BOOKKEEPER)
        for number in range(5):
            assert sign_in(client, "赵六", f"guess number {number}").status_code == 403

        answer = sign_in(client, "赵六", "guess number 6")

        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1


def test_a_page_of_others_signs_nobody_in(server):
    on_the_roll(server, "钱七", Role.BOOKKEEPER)
    with browser(server) as client:
        client.headers["Sec-Fetch-Site"] = "cross-site"

        assert sign_in(client, "钱七").status_code == 403
        assert "session" not in client.cookies


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_signing_in_never_leads_elsewhere(server, wanted):
    on_the_roll(server, f"孙{len(wanted)}", Role.BOOKKEEPER)
    with browser(server) as client:
        answer = sign_in(client, f"孙{len(wanted)}", next=wanted)

    assert answer.headers["location"] == "/home"


@pytest.mark.parametrize(
    ("roles", "where"),
    [
        ([Role.DONOR], "/mine"),
        ([Role.CLERK], "/desk"),
        ([Role.BOOKKEEPER, Role.DONOR], "/desk"),
        ([Role.AUDITOR], "/audit/history"),
        ([Role.PARTNER], "/desk/do"),
        ([Role.TREASURER], "/account"),
        ([Role.ADMIN], "/account"),
        ([], "/account"),
    ],
)
def test_whoever_signs_in_lands_on_their_own_desk(server, roles, where):
    name = "-".join(["lands", *roles])
    on_the_roll(server, name, *roles)
    with browser(server) as client:
        home = sign_in(client, name).headers["location"]

        assert client.get(home).headers["location"] == where


def test_with_a_second_factor_an_admin_lands_among_the_people(server):
    with Visitor(server, "admin-2", Role.ADMIN).http as client:
        assert client.get("/home").headers["location"] == "/desk/people"


def test_where_no_provider_is_named_nobody_is_sent_to_one(server):
    server.identity.users.enrol("林二", [Role.CLERK], datetime.now(UTC))
    code = server.identity.passwords.invite(server.identity.users.known("林二"), datetime.now(UTC))
    with browser(server) as client:
        for path in ("/sign-in", f"/invitation/{code}"):
            assert "/sso" not in client.get(path).text
        for path in ("/sign-in/sso", f"/invitation/{code}/sso"):
            assert client.post(path).status_code == 404
        assert client.get("/sign-in/sso/callback?code=x&state=x").status_code == 404
        assert client.get("/sign-in/sso/code").headers["location"] == "/sign-in"


# The second factor.


def test_roles_over_money_wait_for_a_second_factor(server):
    person = on_the_roll(server, "周八", Role.CASHIER, Role.CLERK)
    with browser(server) as client:
        sign_in(client, "周八")
        before = server.identity.sessions.signed_in(client.cookies["session"], datetime.now(UTC))
        secret, codes = set_up_second_factor(client)
        after = server.identity.sessions.signed_in(client.cookies["session"], datetime.now(UTC))

    assert (before.caller.roles, before.lacking) == ({Role.CLERK}, {Role.CASHIER})
    assert (after.caller.roles, after.lacking) == ({Role.CLERK, Role.CASHIER}, set())
    assert after.caller.person == person
    assert len(set(codes)) == 10
    kept = b"".join(path.read_bytes() for path in Path(server.data).glob("people.db*"))
    assert secret.encode() not in kept
    assert not any(code.encode() in kept for code in codes)


def test_whoever_has_a_second_factor_always_shows_it(server):
    on_the_roll(server, "吴九", Role.TREASURER)
    with browser(server) as client:
        sign_in(client, "吴九")
        secret, codes = set_up_second_factor(client)
        used = pyotp.TOTP(secret).now()
    with browser(server) as client:
        assert sign_in(client, "吴九").status_code == 403
        assert sign_in(client, "吴九", code=used).status_code == 403, "it was taken once"
        assert sign_in(client, "吴九", code=codes[0].upper()).status_code == 303
        assert sign_in(client, "吴九", code=codes[0]).status_code == 403


def test_taking_it_away_needs_the_password_and_a_code_and_signs_out_elsewhere(server):
    on_the_roll(server, "郑十", Role.APPROVER)
    with browser(server) as here, browser(server) as there:
        sign_in(here, "郑十")
        _, codes = set_up_second_factor(here)
        sign_in(there, "郑十", code=codes[0])
        wrong = here.post("/account/second-factor/removal", data={"old": PASSWORD, "code": "1"})
        assert wrong.status_code == 422
        removed = here.post(
            "/account/second-factor/removal", data={"old": PASSWORD, "code": codes[1]}
        )

        assert removed.status_code == 303
        assert here.get("/account").status_code == 200
        assert there.get("/account").status_code == 303


# A person's own account.


def test_another_password_signs_out_everywhere_else(server):
    on_the_roll(server, "冯甲", Role.BOOKKEEPER)
    new = "some other words, just as long"
    with browser(server) as here, browser(server) as there:
        sign_in(here, "冯甲")
        sign_in(there, "冯甲")
        said = {"password": new, "again": new}
        assert here.post("/account/password", data=said | {"old": "x"}).status_code == 422
        assert here.post("/account/password", data=said | {"old": PASSWORD}).status_code == 303

        assert here.get("/account").status_code == 200
        assert there.get("/account").status_code == 303
        assert sign_in(there, "冯甲").status_code == 403
        assert sign_in(there, "冯甲", new).status_code == 303


def test_a_session_elsewhere_is_ended_by_its_person_and_by_nobody_else(server):
    on_the_roll(server, "陈乙", Role.BOOKKEEPER)
    on_the_roll(server, "楚丙", Role.BOOKKEEPER)
    with browser(server) as here, browser(server) as there, browser(server) as other:
        sign_in(there, "陈乙")
        sign_in(here, "陈乙")
        sign_in(other, "楚丙")
        (session,) = re.findall(r"/account/sessions/([0-9a-f]{16})/end", here.get("/account").text)

        other.post(f"/account/sessions/{session}/end")
        assert there.get("/account").status_code == 200
        here.post(f"/account/sessions/{session}/end")
        assert there.get("/account").status_code == 303


def test_whoever_is_disabled_is_signed_out_at_once(server):
    on_the_roll(server, "卫丁", Role.BOOKKEEPER)
    with browser(server) as client:
        sign_in(client, "卫丁")
        server.identity.users.disable("卫丁", datetime.now(UTC))

        assert client.get("/account").status_code == 303
        assert sign_in(client, "卫丁").status_code == 403


def test_sessions_are_kept_by_their_hash(server):
    with server.identity.database.reading() as connection:
        hashes = [row.hash for row in connection.execute(SESSIONS.select())]

    assert hashes
    assert all(re.fullmatch(r"[0-9a-f]{64}", each) for each in hashes)
