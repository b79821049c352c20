"""A server that is killed while it signs leaves a log that contradicts nothing it ever showed."""

import pytest

from tests.faults_log import kill_while_signing


@pytest.mark.slow
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_no_checkpoint_is_contradicted_however_often_the_server_is_killed(store, tmp_path, request):
    data = tmp_path / "data"
    data.mkdir()
    url = request.getfixturevalue("postgres_url") if store == "postgres" else None

    onlooker = kill_while_signing(2, data, url)

    assert len(onlooker.seen) > 1
