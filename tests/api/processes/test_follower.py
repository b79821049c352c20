"""The process that follows beside a server comes with it, goes with it and is made up for."""

import os
import signal
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from pathlib import Path
from select import select
from time import monotonic, sleep

import pytest

from projections.views.every import all_views
from projections.views.fund_balances import FundBalances
from projections.views.opening import open_views
from tests.office import Office
from tests.processes import HOUSE, LEIFENG, environment
from tests.server import ANSWER_S, START_S, STOP_S, serving
from tests.stores import FILES_FIRST

LOOK_S = 0.02
"""Seconds between two looks at something that happens by itself."""

POISON = """
    CREATE TRIGGER poison BEFORE UPDATE ON fund_balances
    BEGIN SELECT RAISE(ABORT, 'no such fund'); END
"""
"""Makes a view of what it shows refuse the next event."""


def until(happened):
    """Wait for something to happen by itself, and return what came of it."""
    deadline = monotonic() + ANSWER_S
    while not (found := happened()):
        assert monotonic() < deadline
        sleep(LOOK_S)  # Nobody tells us.
    return found


def children(process):
    """Return the processes that a server started and that are still there."""
    threads = Path(f"/proc/{process.pid}/task").iterdir()
    said = [(each / "children").read_text(encoding="ascii") for each in threads]
    return [int(pid) for pid in " ".join(said).split()]


def follower_of(process):
    """Wait until a server has a follower that is at work, and return its id."""
    (pid,) = until(lambda: children(process))
    until(lambda: b"api.processes.follower" in Path(f"/proc/{pid}/cmdline").read_bytes())
    return pid


@contextmanager
def watched(pid):
    """Return what says that a process has ended, and not that another has its number."""
    descriptor = os.pidfd_open(pid)
    try:
        yield lambda: select([descriptor], [], [], STOP_S)[0]
    finally:
        os.close(descriptor)


def reached(place):
    """Return how far the views are by their own rows; nobody who serves them is asked."""
    engine = open_views(place)
    with engine.connect() as connection:
        found = {view.reached(connection) for view in all_views()}
    engine.dispose()
    return found


def log_of(data):
    return (data.parent / f"{data.name}.log").read_text(encoding="utf-8")


@pytest.fixture
def data(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    return data


@pytest.fixture(params=FILES_FIRST)
def database(request):
    """Where the ledger is kept if not in files."""
    return None if request.param == "sqlite" else request.getfixturevalue("postgres_url")


def test_views_are_brought_level_though_nobody_reads(data, database):
    with serving(data, database) as server:
        office = Office(server)
        office.gift(office.fund())
        last = server.position()

        until(lambda: reached(database or data / "views.db") == {last})


def test_a_follower_that_was_killed_is_replaced_and_said_to_be(data, database):
    with serving(data, database) as server:
        office = Office(server)
        fund = office.fund()
        first = follower_of(server.process)
        with watched(first) as ended:
            os.kill(first, signal.SIGKILL)
            assert ended()
        office.gift(fund, 100_00)

        assert office.balance(fund)["received"] == 100_00
        assert follower_of(server.process) != first
        last = server.position()
        until(lambda: reached(database or data / "views.db") == {last})

    assert "the follower ended with status -9; starting another" in log_of(data)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_follower_outlives_its_server(data, database, how):
    with serving(data, database) as server, watched(follower_of(server.process)) as ended:
        server.process.send_signal(how)
        server.process.wait(STOP_S)
        assert ended()

    assert log_of(data).splitlines()[-1].startswith("serving ")


def test_ctrl_c_ends_both_and_says_nothing_more(data):
    with subprocess.Popen(  # noqa: S603  # Our own command.
        [*LEIFENG, "serve", "--data", str(data), "--port", "0"],
        cwd=HOUSE,
        env=environment(None),
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    ) as process:
        assert select([process.stderr], [], [], START_S)[0]
        said = next(line for line in process.stderr if line.startswith("serving "))
        with watched(follower_of(process)) as ended:
            os.killpg(process.pid, signal.SIGINT)  # As a terminal does.
            rest = process.stderr.read()
            assert process.wait(STOP_S) == 0
            assert ended()

    assert said.startswith("serving ")
    assert rest == ""


def test_a_view_that_its_follower_stopped_is_named_though_nobody_reads_it(data):
    with serving(data, undisturbed=False) as server:
        office = Office(server)
        office.gift(office.fund())
        last = server.position()
        until(lambda: reached(data / "views.db") == {last})
        with closing(sqlite3.connect(data / "views.db")) as views:
            views.execute(POISON)
        office.gift(office.fund())

        ready = until(lambda: server.public.get("/readyz").json()["stopped"])

        assert ready == [FundBalances.name]
