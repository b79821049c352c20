"""Under load from two hundred connections nothing breaks, nothing is lost and nothing grows."""

import pytest

from tests.load import load

REQUESTS = 4_000


@pytest.mark.slow
def test_a_server_stands_a_load_of_everything_at_once(tmp_path):
    data = tmp_path / "data"
    data.mkdir()

    work = load(data, connections=200, goes_on=lambda _, asked: asked < REQUESTS)

    kinds = {kind for kind, _ in work.answered}
    assert kinds == {
        *("right", "repeated", "reused", "unreadable", "no HTTP"),
        *("ambiguous", "forbidden", "reading"),
    }
