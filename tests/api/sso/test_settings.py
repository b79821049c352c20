"""A provider is named whole, its secret on no command line; without one, nothing is there."""

import subprocess
import sys

import pytest

from api.sso.settings import Settings, SettingWrong
from tests.processes import ENVIRONMENT, HOUSE
from tests.provider import sso

AROUND = {"LEIFENG_SSO_SECRET": "s3cret"}

WHOLE = ["issuer=https://id.example", "client=ledger", "address=https://ledger.example/"]


def test_what_is_said_goes_before_what_the_environment_names():
    around = AROUND | {"LEIFENG_SSO_ISSUER": "https://other.example", "LEIFENG_SSO_NAME": "There"}
    settings = Settings.of(around, WHOLE)

    assert (settings.issuer, settings.name) == ("https://id.example", "There")
    assert settings.redirect_uri == "https://ledger.example/sign-in/sso/callback"
    assert Settings.of(AROUND, WHOLE).name == "id.example"


def test_a_secret_is_read_from_a_file_and_shown_nowhere(tmp_path):
    file = tmp_path / "secret"
    file.write_text(" s3cret\n")
    settings = Settings.of({}, [*WHOLE, f"secret-file={file}"])

    assert settings.secret == "s3cret"  # noqa: S105  # Of nobody.
    assert "s3cret" not in repr(settings)


def test_nothing_named_is_no_provider():
    assert Settings.of({}, []) is None
    assert Settings.of({"LEIFENG_SSO_ISSUER": ""}, []) is None


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (["client=ledger"], "lacks issuer, address"),
        ([*WHOLE, "client="], "lacks client"),
        ([*WHOLE, "secret=s3cret"], "command line"),
        ([*WHOLE, "colour=red"], "no sso colour"),
        ([*WHOLE, "issuer=http://id.example"], "issuer is an address of https"),
        ([*WHOLE, "issuer=https://id.example?tenant=1"], "issuer is an address of https"),
        ([*WHOLE, "issuer=https://me@id.example"], "issuer is an address of https"),
        ([*WHOLE, "issuer=id.example"], "issuer is an address of https"),
        ([*WHOLE, "address=http://192.168.1.1"], "address is an address of https"),
        ([*WHOLE, "address=https://ledger.example/sub"], "a scheme and a host"),
        ([*WHOLE, "name=" + "x" * 61], "1 to 60"),
        ([*WHOLE, "name=a\nb"], "1 to 60"),
    ],
)
def test_what_is_named_by_half_or_wrong_is_refused(said, why):
    with pytest.raises(SettingWrong, match=why):
        Settings.of(AROUND, said)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (sso(issuer="https://id.example"), "sso lacks client, address, secret"),
        (sso(**{"secret-file": "nowhere"}), "nowhere"),
    ],
)
def test_a_server_that_is_told_half_of_it_says_so_and_ends(tmp_path, here, options, why):
    served = here("serve", "--data", tmp_path / "data", "--port", 0, *options)

    assert served.returncode == 1
    (sentence,) = served.stderr.splitlines()
    assert why in sentence
    assert not (tmp_path / "data").exists()


def test_a_server_without_the_extra_says_so_and_ends(tmp_path):
    hidden = tmp_path / "joserfc"
    hidden.mkdir()
    (hidden / "__init__.py").write_text("raise ModuleNotFoundError('none', name='joserfc')\n")
    paths = f"{tmp_path}:{ENVIRONMENT['PYTHONPATH']}"
    words = ("serve", "--data", str(tmp_path / "data"), "--port", "0")
    served = subprocess.run(  # noqa: S603  # Our own command.
        [sys.executable, "-m", "api.cli", *words, *sso(**dict(_pairs(WHOLE)))],
        cwd=HOUSE,
        env=ENVIRONMENT | AROUND | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert served.returncode == 1
    (sentence,) = served.stderr.splitlines()
    assert "there is no joserfc here" in sentence


def _pairs(said):
    return (each.split("=", 1) for each in said)


def test_where_no_provider_is_named_no_library_is_loaded():
    looked = (
        "import sys, pathlib, api.cli, api.app;"
        "api.app.create_app(pathlib.Path('nowhere'));"
        "print(sorted({'httpx2', 'joserfc'} & set(sys.modules)))"
    )
    seen = subprocess.run(  # noqa: S603  # Our own words.
        [sys.executable, "-c", looked],
        cwd=HOUSE,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert seen.stdout == "[]\n"
