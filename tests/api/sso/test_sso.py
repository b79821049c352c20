"""How people come in by a provider of OpenID Connect, which runs as a process of its own."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest

from api.sso.settings import CALLBACK
from ledger.kernel.roles import Role
from ledger.people.external_identities import ExternalIdentity
from ledger.people.tables import SESSIONS
from tests.api.pages.test_sign_in import PASSWORD, codes_of, sign_in
from tests.provider import ADDRESS, Browser, provider
from tests.server import serving


@pytest.fixture(name="there", scope="module")
def _there():
    with provider() as running:
        yield running


@pytest.fixture(name="server", scope="module")
def _server(there, tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    with serving(folder / "data", None, *there.options(folder / "secret")) as running:
        yield running


@contextmanager
def browser(server):
    opened = Browser(server)
    with opened.http:
        yield opened


def invited(server, name, *roles):
    """Have somebody on the roll; return their id and the address of their invitation."""
    identity, now = server.identity, datetime.now(UTC)
    person = identity.users.enrol(name, roles, now)
    return person, f"/invitation/{identity.passwords.invite(person, now)}"


def bound(server, name, *roles):
    """Have somebody on the roll who came in by the provider once, which calls them so as well."""
    person, where = invited(server, name, *roles)
    with browser(server) as visitor:
        answer = visitor.sign_in(name, f"{where}/sso")
        assert answer.headers["location"] == "/home", answer.text
    return person


def test_the_button_says_where_in_both_languages(server):
    _, where = invited(server, "甘一", Role.CLERK)
    with browser(server) as visitor:
        for path in ("/sign-in", where):
            for language, said in (("zh", "在星火ID登录"), ("en", "Sign in at 星火ID")):
                assert said in visitor.http.get(path, params={"lang": language}).text


def test_what_is_asked_of_the_provider_is_who_somebody_is_and_nothing_else(server, there):
    with browser(server) as visitor:
        first, second = (parse_qs(urlsplit(visitor.leave()).query) for _ in range(2))

    assert first["scope"] == ["openid"]
    assert first["redirect_uri"] == [f"{ADDRESS}{CALLBACK}"]
    assert (first["response_type"], first["client_id"]) == (["code"], [there.client])
    assert first["code_challenge_method"] == ["S256"]
    for fresh in ("state", "nonce", "code_challenge"):
        assert first[fresh] != second[fresh]
        assert len(first[fresh][0]) == 43


def test_an_invited_person_is_bound_by_signing_in_there_and_comes_back_so(server):
    person, where = invited(server, "林一", Role.CLERK)
    with browser(server) as visitor:
        assert visitor.sign_in("lin", f"{where}/sso").headers["location"] == "/home"
        assert "林一" in visitor.http.get("/account").text
        assert visitor.http.post(f"{where}/sso").status_code == 409, "an invitation is good once"
    with browser(server) as visitor:
        answer = visitor.sign_in("lin", next="/account?lang=en")

        assert (answer.status_code, answer.headers["location"]) == (303, "/account?lang=en")
        secret = visitor.http.cookies["session"]
        seen = server.identity.sessions.signed_in(secret, datetime.now(UTC))
        assert (seen.caller.person, seen.caller.roles) == (person, {Role.CLERK})
        assert "slip" not in visitor.http.cookies


def test_nobody_comes_in_by_an_address_alone_and_nobody_is_put_on_the_roll(server):
    name = "mei@example.org"
    server.identity.users.enrol(name, [Role.CLERK], datetime.now(UTC))
    before = len(server.identity.users.everybody())
    with browser(server) as visitor:
        for subject in (name, "somebody else"):
            answer = visitor.sign_in(subject)

            assert answer.status_code == 403
            assert "没有人与该账户绑定" in answer.text
            assert not visitor.is_signed_in
    assert len(server.identity.users.everybody()) == before


def test_whoever_is_disabled_does_not_come_in(server):
    bound(server, "wei", Role.BOOKKEEPER)
    with browser(server) as visitor:
        visitor.sign_in("wei")
        assert visitor.is_signed_in
        server.identity.users.disable("wei", datetime.now(UTC))

        assert not visitor.is_signed_in
        assert visitor.sign_in("wei").status_code == 403


def test_a_code_is_worth_something_once(server):
    bound(server, "wang", Role.BOOKKEEPER)
    with browser(server) as visitor:
        back = visitor.sign_in_there(visitor.leave(), "wang")
        slip = visitor.http.cookies["slip"]
        assert visitor.come_back(back).status_code == 303
    with browser(server) as visitor:
        visitor.http.cookies["slip"] = slip

        assert visitor.come_back(back).status_code == 403
        assert not visitor.is_signed_in


def test_whoever_did_not_leave_from_this_browser_does_not_come_back_to_it(server):
    bound(server, "san", Role.BOOKKEEPER)
    with browser(server) as one, browser(server) as other:
        back = one.sign_in_there(one.leave(), "san")
        assert other.come_back(back).status_code == 403, "it never left"
        other.leave()
        assert other.come_back(back).status_code == 403, "it left with another state"
        assert not other.is_signed_in


@pytest.mark.parametrize("spoilt", ["", "x" * 200, "====", "é"])
def test_a_slip_is_ours_or_none(server, spoilt):
    with browser(server) as visitor:
        back = visitor.sign_in_there(visitor.leave(), "san")
        sent = urlsplit(back)
        answer = visitor.http.get(
            f"{sent.path}?{sent.query}", headers={"Cookie": f"slip={spoilt}".encode()}
        )

    assert answer.status_code == 403


def test_whoever_changes_their_mind_there_is_not_signed_in(server):
    with browser(server) as visitor:
        back = visitor.sign_in_there(visitor.leave(), "san", action="deny")
        assert "error=access_denied" in back

        assert visitor.come_back(back).status_code == 403
        assert not visitor.is_signed_in


def test_a_page_of_others_sends_nobody_there(server):
    _, where = invited(server, "甘二", Role.CLERK)
    with browser(server) as visitor:
        visitor.http.headers["Sec-Fetch-Site"] = "cross-site"

        for path in ("/sign-in/sso", f"{where}/sso", "/sign-in/sso/code"):
            assert visitor.http.post(path).status_code == 403
        assert not visitor.http.cookies


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/" + "a" * 4000])
def test_coming_back_never_leads_elsewhere(server, wanted):
    name = f"sun-{len(wanted)}"
    bound(server, name, Role.BOOKKEEPER)
    with browser(server) as visitor:
        assert visitor.sign_in(name, next=wanted).headers["location"] == "/home"


def test_over_https_slips_are_of_this_host_alone(server):
    with browser(server) as visitor:
        visitor.http.headers["X-Forwarded-Proto"] = "https"  # As a proxy on this machine says it.
        cookie = visitor.http.post("/sign-in/sso").headers["set-cookie"]

    assert cookie.startswith("__Host-slip=")
    for said in ("Secure", "Path=/", "HttpOnly", "SameSite=lax", "Max-Age=600"):
        assert said in cookie
    assert "Domain" not in cookie


# One person, one way in.


def test_an_account_there_is_one_person_here(server, there):
    first = bound(server, "qian", Role.APPROVER)
    second, where = invited(server, "ba", Role.CASHIER)
    with browser(server) as visitor:
        assert visitor.sign_in("qian", f"{where}/sso").status_code == 409
        assert not visitor.is_signed_in

        assert visitor.sign_in("another account", f"{where}/sso").status_code == 303
    issuer = there.issuer
    external_identities = server.identity.external_identities
    assert external_identities.person(ExternalIdentity(issuer, "qian")) == first
    assert external_identities.person(ExternalIdentity(issuer, "another account")) == second
    assert external_identities.person(ExternalIdentity("https://other.example", "qian")) is None


def test_whoever_comes_in_so_has_no_password_any_more_until_they_are_invited_anew(server):
    person, where = invited(server, "冯甲", Role.BOOKKEEPER)
    server.identity.passwords.choose(person, PASSWORD, datetime.now(UTC))
    where = f"/invitation/{server.identity.passwords.invite(person, datetime.now(UTC))}"
    with browser(server) as visitor:
        visitor.sign_in("feng", f"{where}/sso")
        assert 'name="old"' not in visitor.http.get("/account").text
        new = {"password": PASSWORD, "again": PASSWORD}
        assert visitor.http.post("/account/password", data=new | {"old": ""}).status_code == 422
        assert sign_in(visitor.http, "冯甲").status_code == 403

        where = f"/invitation/{server.identity.passwords.invite(person, datetime.now(UTC))}"
        assert visitor.http.post(where, data=new).status_code == 303
        assert visitor.sign_in("feng").status_code == 403
        assert sign_in(visitor.http, "冯甲").status_code == 303


def test_what_the_provider_calls_somebody_is_not_kept_in_clear(server, there):
    bound(server, "subject-that-is-telling", Role.BOOKKEEPER)

    kept = b"".join(path.read_bytes() for path in Path(server.data).glob("people.db*"))
    for said in (there.secret, "subject-that-is-telling"):
        assert said.encode() not in kept + server.log.read_bytes()


# The second factor.


def set_up_second_factor(visitor):
    """Set one up as somebody does who has no password; return the secret and recovery codes."""
    shown = visitor.http.post("/account/second-factor")
    assert shown.status_code == 200, shown.text
    secret = shown.text.partition("<p><code>")[2].partition("</code>")[0]
    code = pyotp.TOTP(secret).now()
    done = visitor.http.post("/account/second-factor/confirmation", data={"code": code})
    return secret, codes_of(done.text)


def test_roles_over_money_wait_for_our_second_factor_whatever_the_provider_asked(server):
    bound(server, "zhou", Role.CASHIER, Role.CLERK)
    with browser(server) as visitor:
        visitor.sign_in("zhou")
        before = server.identity.sessions.signed_in(
            visitor.http.cookies["session"], datetime.now(UTC)
        )
        _, codes = set_up_second_factor(visitor)
    with browser(server) as visitor:
        answer = visitor.sign_in("zhou")
        assert answer.headers["location"] == "/sign-in/sso/code"
        assert not visitor.is_signed_in
        assert visitor.http.get("/sign-in/sso/code").status_code == 200
        wrong = visitor.http.post("/sign-in/sso/code", data={"code": "000000"})
        assert wrong.status_code == 403
        assert not visitor.is_signed_in
        right = visitor.http.post("/sign-in/sso/code", data={"code": codes[0]})
        assert right.status_code == 303
        after = server.identity.sessions.signed_in(
            visitor.http.cookies["session"], datetime.now(UTC)
        )

    assert (before.caller.roles, before.lacking) == ({Role.CLERK}, {Role.CASHIER})
    assert (after.caller.roles, after.lacking) == ({Role.CLERK, Role.CASHIER}, set())


def test_the_code_is_taken_of_nobody_who_has_not_come_back(server):
    with browser(server) as visitor:
        visitor.leave()
        for answer in (
            visitor.http.get("/sign-in/sso/code"),
            visitor.http.post("/sign-in/sso/code", data={"code": "000000"}),
        ):
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_whoever_guesses_the_code_has_to_wait(server):
    bound(server, "wu", Role.TREASURER)
    with browser(server) as visitor:
        visitor.sign_in("wu")
        set_up_second_factor(visitor)
        visitor.sign_in("wu")
        for number in range(5):
            guess = visitor.http.post("/sign-in/sso/code", data={"code": f"{number:06}"})
            assert guess.status_code == 403

        answer = visitor.http.post("/sign-in/sso/code", data={"code": "000006"})

        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1


def test_a_browser_that_was_left_open_sets_up_no_second_factor(server):
    person = bound(server, "zheng", Role.APPROVER)
    with browser(server) as visitor:
        visitor.sign_in("zheng")
        with server.identity.database.writing() as connection:
            began = datetime.now(UTC) - timedelta(minutes=11)
            theirs = SESSIONS.c.person == person
            connection.execute(SESSIONS.update().where(theirs).values(began_at=began))

        answer = visitor.http.post("/account/second-factor")

        assert answer.status_code == 422
        assert "十分钟" in answer.text
