"""A server that is killed at work loses nothing it acknowledged and does nothing by halves."""

import pytest

from tests.faults import kill_again_and_again


@pytest.mark.parametrize("rounds", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_killed_at_random_moments_on_files(tmp_path, rounds):
    data = tmp_path / "data"
    data.mkdir()

    crew = kill_again_and_again(rounds, data)

    assert len(crew.commands) > rounds * len({each.topics for each in crew.commands})


@pytest.mark.slow
def test_killed_at_random_moments_on_postgresql(tmp_path, postgres):
    with postgres.database() as url:
        kill_again_and_again(2, tmp_path, url)
