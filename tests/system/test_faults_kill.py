"""A server that is killed at work loses nothing it acknowledged and does nothing by halves."""

from tests.faults import kill_again_and_again


def test_killed_at_random_moments_on_files(tmp_path):
    data = tmp_path / "data"
    data.mkdir()

    crew = kill_again_and_again(3, data)

    assert len(crew.commands) > 3 * len({each.topics for each in crew.commands})


def test_killed_at_random_moments_on_postgresql(tmp_path, postgres):
    with postgres.database() as url:
        kill_again_and_again(2, tmp_path, url)
