"""The bench runs, whatever its figures: how fast a machine is, is no test's business."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from bench.__main__ import BENCHES
from bench.against import Ratio, Turn, in_pairs, ratio
from bench.figures import NotDone, done
from bench.servers import there_is_postgres
from tests.folders import HOUSE

UNITS = {
    "pledges": "pledges/s",
    "pledges-hot-fund": "pledges/s",
    "pledges-p99": "µs",
    "pledges-p99-noop": "µs",
    **({"pledges-postgres": "pledges/s"} if there_is_postgres() else {}),
    "feed": "orders/s",
    "batches": "events/s",
    "import": "events/s",
    "replay-views": "events/s",
    "replay-balances": "events/s",
    "balance-p50": "µs",
    "balance-p99": "µs",
    "as-of-p50": "µs",
    "as-of-p99": "µs",
    "known-at-p50": "µs",
    "known-at-p99": "µs",
    "store": "commands/s",
    "dated-bound": "commands/s",
    "dated-bound-late": "commands/s",
    "audit": "events/s",
    "audit-memory": "MB",
    "log-append": "leaves/s",
    "log-proofs": "proofs/s",
    "log-intake": "commands/s",
    "scale-balance-p99": "µs",
    "scale-as-of-p99": "µs",
    "scale-known-at-p99": "µs",
    "scale-both-p99": "µs",
    "scale-fold": "events/s",
    **({"scale-hledger": "events/s"} if shutil.which("hledger") else {}),
    "scale-server-memory": "MB",
    "scale-replay-memory": "MB",
    "scale-start": "s",
    "scale-lag": "s",
    "scale-level": "s",
    "pages-first": "kB",
    "pages-front": "µs",
    "pages-funds": "µs",
    "pages-fund": "µs",
    "pages-sales": "µs",
    "pages-live": "s",
    "pages-live-memory": "MB",
}


def bench(*arguments):
    return subprocess.run(  # noqa: S603  # Ours, with arguments of ours.
        [sys.executable, "-m", "bench", *arguments],
        cwd=HOUSE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(HOUSE / "src"), str(HOUSE)])},
        capture_output=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize(
    ("names", "measured", "units"),
    [
        (["store"], ["store"], {"store": UNITS["store"]}),
        pytest.param([], list(BENCHES), UNITS, marks=pytest.mark.slow),
    ],
    ids=["one", "every"],
)
def test_a_figure_stands_beside_its_limit(names, measured, units):
    ran = bench("--quick", "--json", *names)

    assert ran.returncode == 0, ran.stderr.decode()
    told = re.findall("^measuring (.+) …$", ran.stderr.decode(), re.MULTILINE)
    assert told == measured
    found = json.loads(ran.stdout)
    assert {name: figure["unit"] for name, figure in found.items()} == units
    for figure in found.values():
        assert figure.keys() == {"value", "unit", "limit", "ratio", "target"}
        assert figure["value"] > 0
        assert figure["limit"] > 0
        assert figure["ratio"] > 0
        assert figure["target"] is None or figure["target"] > 0


def test_a_name_that_nothing_has_is_refused_before_anything_is_measured():
    ran = bench("--quick", "pledge")

    assert ran.returncode == 2
    assert b"nothing is called pledge" in ran.stderr


def test_a_revision_that_is_not_to_be_had_is_one_sentence():
    ran = bench("--against", "no-such-revision", "pledges")

    assert ran.returncode == 3
    assert ran.stdout == b""
    *_, sentence = ran.stderr.decode().splitlines()
    assert sentence == "bench: no-such-revision is not to be had: there is no such revision"


def test_what_cannot_be_compared_is_refused_before_there_is_an_environment():
    ran = bench("--against", "no-such-revision", "pages")

    assert ran.returncode == 2
    assert b"nothing is called pages; there are pledges, feed" in ran.stderr


def test_every_other_pair_goes_the_other_way_round():
    taken = []

    def side(name, rate):
        def turn():
            taken.append(name)
            return Turn(rate, rate)

        return turn

    pairs = list(in_pairs("pledges", side("A", 2.0), side("B", 1.0), 4))

    assert "".join(taken) == "ABBAABBA"
    assert pairs == [(Turn(2.0, 2.0), Turn(1.0, 1.0))] * 4


@pytest.mark.parametrize(
    ("pairs", "low", "high", "chance"),
    [
        (1, 1, 1, 0),
        (5, 1, 5, 1 - 2 / 2**5),  # Too few for the chance that is asked for: all of them.
        (6, 1, 6, 1 - 2 / 2**6),
        (15, 4, 12, 1 - 2 * (1 + 15 + 105 + 455) / 2**15),
        (20, 6, 15, 1 - 2 * (1 + 20 + 190 + 1140 + 4845 + 15504) / 2**20),
    ],
)
def test_the_interval_of_a_median_is_that_of_the_sign_test(pairs, low, high, chance):
    interval = ratio([float(each) for each in range(pairs, 0, -1)])

    assert interval == Ratio((pairs + 1) / 2, low, high, pytest.approx(chance))


def test_what_did_not_do_its_work_gives_no_figure():
    with pytest.raises(NotDone, match="events followed: 0 and not 20103"):
        done("events followed", expected=20_103, actual=0)
