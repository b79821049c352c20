"""Fixtures that several modules share."""

from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from hypothesis import settings

from api.cli import main
from api.places import DATABASE_URL
from tests.office import Office
from tests.server import Server, serving
from tests.stores import STORES, Postgres, postgres_server
from tests.world import World
from tests.years import Years


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run slow tests as well")


def pytest_configure(config: pytest.Config) -> None:
    """Leave slow tests out, unless tests are chosen in any way: by name, by path or by marker.

    How long an example takes says nothing on a machine that others use as well.
    """
    settings.register_profile("unhurried", deadline=None)
    settings.load_profile("unhurried")
    options = config.option
    chosen = config.args_source is config.ArgsSource.ARGS or options.keyword or options.markexpr
    if not (options.all or chosen):
        options.markexpr = "not slow"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server for all who need it."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """An empty PostgreSQL database."""
    with postgres.used_database() as url:
        yield url


@pytest.fixture(params=STORES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a ledger can be kept: a file that is not there yet, then an empty database."""
    if request.param == "sqlite":
        return tmp_path / "ledger.db"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One of everything at one server, for modules that change none of it and mind no newcomers."""
    data: Path = tmp_path_factory.mktemp("common") / "data"
    data.mkdir()
    with serving(data) as served:
        served.in_common = True
        yield World(Office(served))


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One real server for a module, over files of its own, on PostgreSQL, or in common."""
    if request.node.get_closest_marker("common_server"):
        yield request.getfixturevalue("common").office.server
        return
    data: Path = tmp_path_factory.mktemp("served") / "data"
    data.mkdir()
    if getattr(request, "param", STORES[0]) == STORES[0]:
        with serving(data) as served:
            yield served
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    with postgres.database() as url, serving(data, url) as served:
        yield served


@pytest.fixture(scope="module")
def office(request: pytest.FixtureRequest, server: Server) -> Office:
    """Everybody at their desks."""
    common = request.getfixturevalue("common") if server.in_common else None
    return Office(server) if common is None else common.office


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, office: Office) -> World:
    """One of everything in every state."""
    common = request.getfixturevalue("common") if office.server.in_common else None
    return World(office) if common is None else common


@pytest.fixture(scope="module")
def years(office: Office) -> Years:
    """A history with something of every kind."""
    return Years(office)


@pytest.fixture
def here(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., CompletedProcess[str]]:
    """Return what runs a command inside this process, on files or on a database."""

    def run(*words: object, database: str | None = None) -> CompletedProcess[str]:
        with monkeypatch.context() as around:
            if database is not None:
                around.setenv(DATABASE_URL, database)
            with pytest.raises(SystemExit) as ended:
                main([str(each) for each in words])
        output = capsys.readouterr()
        return CompletedProcess(words, int(str(ended.value.code)), output.out, output.err)

    return run
