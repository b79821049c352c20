"""``leifeng import``: files straight into the ledger, by the same rules as over HTTP."""

import json
import os
import pty
import subprocess
from contextlib import closing
from datetime import UTC, datetime

import pytest

from api.cli import main
from api.places import DATABASE_URL
from ledger.aggregates.sales.facts import Item
from ledger.books.tallies import of_fund
from ledger.commands import Ledger
from ledger.kernel.names import pledge_stream
from ledger.kernel.roles import Role
from ledger.people.identity import Identity
from tests.charity import Charity, charity
from tests.ledger.feeds.test_orders import TV_SALE
from tests.processes import ENVIRONMENT, HOUSE, LEIFENG
from tests.samples import HEAR, MEI
from tests.server import serving

STORY = json.loads((TV_SALE / "sale.json").read_text(encoding="utf-8"))


@pytest.fixture(name="data")
def _data(tmp_path):
    """A folder with a fund, a donor, and two people: one clerk who is no cashier, one both."""
    data = tmp_path / "data"
    data.mkdir()
    with charity(data / "ledger.db") as house:
        house.open_fund()
        house.do("register_donor", MEI, anonymous=True)
    token(data, "小王", Role.CLERK)
    token(data, "小李", Role.CLERK)
    token(data, "小李", Role.CASHIER)
    return data


def token(data, name, role, sale=None):
    with closing(Identity(data / "people.db")) as identity:
        return identity.create_token(name, [role], at=datetime.now(UTC), sale=sale)


@pytest.fixture(name="sale")
def _sale(data):
    with charity(data / "ledger.db") as house:
        sale = house.open_sale(tuple(Item(**each) for each in STORY["items"]))
    token(data, "老陈", Role.TREASURER)
    return sale


@pytest.fixture(name="leifeng")
def _leifeng(capsys):
    """Run a command; return its exit code, the lines that it printed and what it complained of."""

    def run(*said):
        with pytest.raises(SystemExit) as ended:
            main([str(each) for each in said])
        printed = capsys.readouterr()
        return ended.value.code, printed.out.splitlines(), printed.err

    return run


@pytest.fixture(name="imported")
def _imported(leifeng, data):
    def run(what, file, *said, who="小王"):
        return leifeng("import", what, file, "--data", data, "--person", who, *said)

    return run


def asked(data):
    """Return how somebody at a prompt asks for an import of donations."""
    return [*LEIFENG, "import", "donations", "--data", str(data), "--person", "小王"]


def line(ref, **other):
    said = {"ref": ref, "donor": str(MEI), "fund": HEAR, "amount": 100, "currency": "CNY"}
    return json.dumps(said | {"pledged_on": "2026-04-01"} | other)


PAID = {"amount": 100, "channel": "bank", "external_ref": "BK-1", "received_on": "2026-04-01"}


def written(folder, *lines):
    file = folder / "lines.ndjson"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def kinds(data):
    with closing(Ledger(data / "ledger.db", writes=False)) as ledger:
        return Charity(ledger).kinds()


def test_a_file_is_recorded_once_however_often_it_is_imported(imported, data, tmp_path):
    file = written(tmp_path, *(line(f"r-{each}") for each in range(1_500)))

    first, again = (imported("donations", file) for _ in "12")

    assert first == (0, ["1,500 lines recorded, 0 known before, 0 rejected"], "")
    assert again == (0, ["0 lines recorded, 1,500 known before, 0 rejected"], "")
    assert kinds(data).count("donation.pledged.1") == 1_500


def test_rejected_lines_are_named_up_to_twenty_and_the_task_has_failed(imported, data, tmp_path):
    file = written(tmp_path, line("r-1"), *["?"] * 21, line("r-2", fund="F-\u001b[2J"))

    code, said, complaint = imported("donations", file)

    assert (code, complaint) == (1, "")
    assert said[0] == "1 lines recorded, 0 known before, 22 rejected"
    assert said[1:21] == [f"line {n}: line.malformed: is not JSON" for n in range(2, 22)]
    assert said[21:] == ["and 2 more"]
    assert kinds(data).count("donation.pledged.1") == 1


def test_a_payment_takes_somebody_who_is_a_cashier_as_well(imported, data, tmp_path):
    file = written(tmp_path, line("r-1", payment=PAID))

    code, said, _ = imported("donations", file, who="小王")
    assert (code, said[1]) == (
        1,
        "line 1: role.forbidden: to record a payment takes the role of cashier as well",
    )
    assert imported("donations", file, who="小李")[0] == 0
    with charity(data / "ledger.db") as house:
        assert house.available() == 100


def test_a_line_is_the_same_line_over_http_and_in_a_file(imported, data, tmp_path):
    held = token(data, "小王", Role.CLERK)
    with serving(data) as server:
        said = server.bearer(held).feed("/v1/donations:batch", line("r-1")).json()
        person = server.identity.caller(held).person

    _, (counts,), _ = imported("donations", written(tmp_path, line("r-1"), line("r-2")))

    assert said["donations"] == [{"line": 1, "id": str(pledge_stream(person, "r-1"))}]
    assert counts == "1 lines recorded, 1 known before, 0 rejected"


def test_a_partners_files_come_to_the_figures_of_their_story(imported, data, sale):
    orders = imported("orders", TV_SALE / "orders.ndjson", "--sale", sale, who="老陈")
    returns = imported("returns", TV_SALE / "returns.ndjson", "--sale", sale, who="老陈")

    assert orders[1][0] == "1,079 lines recorded, 40 known before, 6 rejected"
    codes = [each.split(": ")[1] for each in orders[1][1:]]
    assert (orders[0], sorted(codes)) == (1, sorted(STORY["feed"]["rejected"]))
    assert (returns[0], returns[1][0].split()[0]) == (0, str(STORY["returns"]))
    with charity(data / "ledger.db") as house:
        assert house.tally(of_fund(HEAR, "receivable")) == STORY["net_sales"]
        house.check_tallies()


def test_a_partner_imports_what_is_of_their_own_sale(imported, data, sale):
    token(data, "嘉丽购", Role.PARTNER, sale)
    token(data, "别家", Role.PARTNER, MEI)
    file, of_it = TV_SALE / "returns.ndjson", ("--sale", sale)

    assert imported("orders", TV_SALE / "orders.ndjson", *of_it, who="嘉丽购")[0] == 1
    assert imported("returns", file, *of_it, who="嘉丽购")[0] == 0
    assert imported("returns", file, *of_it, who="别家")[::2] == (
        1,
        "leifeng: --person has no token as treasurer or partner for this\n",
    )


@pytest.mark.parametrize("who", ["nobody", "老陈"])
def test_who_has_not_the_role_imports_nothing(imported, data, sale, tmp_path, who):
    assert sale
    file = written(tmp_path, line("r-1"))

    assert imported("donations", file, who=who) == (
        1,
        [],
        "leifeng: --person has no token as clerk for this\n",
    )
    assert "donation.pledged.1" not in kinds(data)


def test_while_a_server_runs_on_a_file_an_import_refuses_in_one_sentence(imported, data, tmp_path):
    file = written(tmp_path, line("r-1"))
    with serving(data):
        code, said, complaint = imported("donations", file)

    assert (code, said) == (1, [])
    assert complaint.startswith("leifeng: another process is writing")
    assert complaint.count("\n") == 1
    assert imported("donations", file)[0] == 0


def test_on_postgresql_an_import_goes_in_beside_a_server(
    leifeng, postgres_url, tmp_path, monkeypatch
):
    file = written(tmp_path, *(line(f"r-{each}") for each in range(10)))
    with charity(postgres_url) as house:
        house.open_fund()
        house.do("register_donor", MEI, anonymous=True)
    with serving(tmp_path, postgres_url) as server:
        lin = server.person("小王", Role.CLERK)
        monkeypatch.setenv(DATABASE_URL, postgres_url)
        lin.feed("/v1/donations:batch", line("r-1"))

        code, said, _ = leifeng("import", "donations", file, "--data", tmp_path, "--person", "小王")

        assert (code, said) == (0, ["9 lines recorded, 1 known before, 0 rejected"])
        assert len(lin.all("/v1/donations")) == 10


def test_lines_may_be_piped(data):
    ran = subprocess.run(  # noqa: S603  # Our own command.
        [*asked(data), "-"],
        cwd=HOUSE,
        env=ENVIRONMENT,
        input=line("r-1").encode(),
        capture_output=True,
        check=True,
    )

    assert (ran.stdout, ran.stderr) == (b"1 lines recorded, 0 known before, 0 rejected\n", b"")


@pytest.mark.slow
def test_progress_is_shown_on_a_terminal(data, tmp_path):
    file = written(tmp_path, *(line(f"r-{each}") for each in range(10)))
    ours, theirs = pty.openpty()
    with subprocess.Popen(  # noqa: S603  # Same.
        [*asked(data), str(file)],
        cwd=HOUSE,
        env=ENVIRONMENT | {"TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as ran:
        os.close(theirs)
        shown = b""
        while piece := _read(ours):
            shown += piece
    os.close(ours)

    assert ran.returncode == 0
    assert b"importing donations" in shown


def _read(terminal):
    try:
        return os.read(terminal, 65_536)
    except OSError:  # That is how a terminal says that the other side has gone.
        return b""


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (("pledges", "FILE"), "'pledges' is not one of"),
        (("donations", "FILE", "--sale", str(MEI)), "--sale: is not for donations"),
        (("orders", "FILE"), "--sale: is needed for orders"),
        (("donations", "/nowhere/file"), "No such file"),
    ],
)
def test_what_makes_no_sense_is_bad_usage(leifeng, data, tmp_path, said, complaint):
    file = written(tmp_path, line("r-1"))
    words = [file if each == "FILE" else each for each in said]

    code, printed, complained = leifeng("import", *words, "--data", data, "--person", "小王")

    assert (code, printed) == (2, [])
    assert complaint in complained
    assert complained.count("\n") == 1


def test_an_unknown_sale_takes_no_orders(imported, data):
    token(data, "老陈", Role.TREASURER)

    said = imported("orders", TV_SALE / "orders.ndjson", "--sale", MEI, who="老陈")

    assert said == (1, [], f"leifeng: there is no sale {MEI}\n")


def test_there_has_to_be_a_ledger(leifeng, tmp_path):
    file, nowhere = written(tmp_path, line("r-1")), tmp_path / "none"

    said = leifeng("import", "donations", file, "--data", nowhere, "--person", "小王")

    assert said == (1, [], f"leifeng: there is no ledger in {nowhere}\n")
    assert not nowhere.exists()
