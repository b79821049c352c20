"""Files that pages link to: whose they are, that they are unchanged, how they are handed out."""

import gzip
import json
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from zipfile import ZipFile

import pytest

from api.pages.kit.assets import FOR_EVER, address, assets
from tests.processes import HOUSE

pytestmark = pytest.mark.common_server

VENDOR = Path("api/pages/kit/static/vendor")
MANIFEST = json.loads((HOUSE / VENDOR / "manifest.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("entry", MANIFEST, ids=lambda entry: entry["file"])
def test_a_vendored_file_is_what_its_maker_published(entry):
    assert sha256((HOUSE / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]


@pytest.mark.parametrize("entry", MANIFEST, ids=lambda entry: entry["file"])
def test_it_says_whose_it_is_and_under_which_licence(entry):
    assert re.fullmatch(r"\d+\.\d+\.\d+", entry["version"])
    assert entry["licence"] in {"0BSD", "Apache-2.0", "MIT", "MPL-2.0"}
    assert (HOUSE / entry["licence_text"]).stat().st_size > 500
    assert entry["package"]
    assert entry["from"].endswith(Path(entry["file"]).name)


def test_no_file_of_others_is_unnamed():
    there = {
        str(path.relative_to(HOUSE))
        for folder in (VENDOR, Path("tests/vendor"))
        for path in (HOUSE / folder).rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    named = {entry[of] for entry in MANIFEST for of in ("file", "licence_text")}

    assert there == named


def test_nothing_for_tests_alone_is_handed_out():
    assert not [name for name in assets() if "axe" in name]
    assert not [name for name in assets() if name.endswith(".json")]


def test_a_file_is_kept_for_ever_under_an_address_of_its_own(server):
    for name, asset in assets().items():
        answer = server.public.get(address(name))

        assert answer.status_code == 200
        assert answer.content == asset.content
        assert answer.headers["cache-control"] == FOR_EVER
        assert answer.headers["content-type"].partition(";")[0] == asset.media_type
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_it_travels_compressed_to_whoever_takes_that(server):
    path = address("vendor/echarts.min.js")
    with server.public.http.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        sent = b"".join(answer.iter_raw())
    plain = server.public.http.get(path, headers={"Accept-Encoding": "identity"})

    assert gzip.decompress(sent) == plain.content
    assert len(sent) < len(plain.content) / 2


def test_whoever_has_it_is_not_sent_it_again(server):
    path = address("pages.css")
    known = server.public.get(path).headers["etag"]

    assert server.public.http.get(path, headers={"If-None-Match": known}).status_code == 304


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/static/0000000000000000/pages.css", 404),
        (address("pages.css").replace("pages.css", "vendor/manifest.json"), 404),
        (address("pages.css").replace("pages.css", "%2e%2e/app.py"), 422),
    ],
)
def test_nothing_else_is_handed_out(server, path, status):
    assert server.public.get(path).status_code == status


def test_a_wheel_brings_everything_that_pages_need(tmp_path):
    built = subprocess.run(  # noqa: S603  # Our own packaging.
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as packed:
        there = set(packed.namelist())
    needed = {
        str(path.relative_to(HOUSE))
        for path in (HOUSE / "api/pages").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }

    assert needed - there == set()
    assert len(needed) > 40
