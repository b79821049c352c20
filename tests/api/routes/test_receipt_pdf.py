"""A receipt on paper: the same bytes each time, the receipt itself within, and for its donor."""

import json
import subprocess
import sys
from io import BytesIO

import pytest
from pypdf import PdfReader

from api.routes.receipt_pdf import FIGURES, typeset
from ledger.kernel.roles import Role
from tests.processes import ENVIRONMENT, HOUSE, leifeng
from tests.server import serving

pytestmark = pytest.mark.common_server

SITE = "https://charity.example/"


@pytest.fixture(scope="module")
def path(office):
    donation = office.pledge(office.fund("F-PAPER"), 500_00, note="谢谢")
    office.pay_in(donation, 200_00, ref="BK-331")
    return f"/v1/donations/{donation}/receipt"


@pytest.fixture(scope="module")
def receipt(office, path):
    return office.lin.get(path).content


@pytest.fixture(scope="module")
def paper(office, path, receipt):
    answer = office.lin.get(f"{path}.pdf")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert receipt
    return answer.content


def words_of(pdf):
    pages = PdfReader(BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_it_is_the_same_to_the_byte_when_made_again(office, path, paper):
    assert office.lin.get(f"{path}.pdf").content == paper


def test_it_is_the_same_in_another_process_at_another_time(receipt, tmp_path):
    (tmp_path / "receipt.json").write_bytes(receipt)
    program = (
        "import sys; from pathlib import Path; from api.routes.receipt_pdf import typeset\n"
        f"made = typeset(Path(sys.argv[1]).read_bytes(), {SITE!r}, illustrative=False)\n"
        "sys.stdout.buffer.write(made)"
    )
    made = subprocess.run(  # noqa: S603  # Our own program.
        [sys.executable, "-c", program, str(tmp_path / "receipt.json")],
        cwd=HOUSE,
        env=ENVIRONMENT | {"SOURCE_DATE_EPOCH": "86400", "TZ": "America/New_York"},
        capture_output=True,
        check=True,
    )

    assert made.stdout == typeset(receipt, SITE, illustrative=False)


def test_the_receipt_itself_is_attached(paper, receipt):
    attached = PdfReader(BytesIO(paper)).attachments

    assert dict(attached.items()) == {"receipt.json": [receipt]}


def test_it_says_that_it_is_for_the_archive_and_may_be_read_aloud(paper):
    reader = PdfReader(BytesIO(paper))
    catalogue = reader.trailer["/Root"]
    said = catalogue["/Metadata"].get_object().get_data().decode()

    assert "<pdfaid:part>3</pdfaid:part>" in said
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in said
    assert catalogue["/MarkInfo"]["/Marked"]
    assert catalogue["/Lang"] == "zh-CN"
    assert catalogue["/OutputIntents"]
    relation = catalogue["/AF"][0].get_object()["/AFRelationship"]
    assert relation == "/Source"


def test_its_date_is_that_of_the_last_event(office, path, paper):
    last = office.an.read("/v1/events", stream=path.split("/")[3])["items"][-1]
    dated = PdfReader(BytesIO(paper)).metadata.creation_date

    assert f"{dated:%Y-%m-%dT%H:%M:%S}" == last["recorded_at"][:19]


def test_what_it_says_can_be_copied_in_both_languages(paper, path, receipt):
    said = words_of(paper)
    for words in (
        "捐赠凭据 Receipt of a donation",
        "不是公益事业捐赠统一票据",
        "It is no fiscal receipt",
        path.split("/")[3],
        "专项（F-PAPER）",
        "500.00",
        "到账 200.00 元",
        "200.00 arrived for fund F-PAPER by the bank (ref. BK-331)",
        json.loads(receipt)["checkpoint"].partition("\n")[0],
    ):
        assert words in said, words
    for zh, en in FIGURES.values():
        assert f"{zh} {en}" in said


def test_the_code_leads_to_the_page_that_checks_it_and_names_nobody(receipt, path):
    made = typeset(receipt, SITE, illustrative=False)
    donation = path.split("/")[3]

    assert f"https://charity.example/verify#receipt={donation}" in words_of(made)
    assert json.loads(receipt)["donation"]["donor"] not in words_of(made)
    assert "谢谢" not in words_of(made)


def test_every_character_of_every_name_is_there(office):
    fund = "F-RARE"
    body = {"restriction": "restricted", "currency": "CNY", "purpose": '#let *x* $1$ @a \\ "'}
    office.sun.did("/v1/funds", {"code": fund, "name": "龘䶮㐂喆 𠮷 Ünïcode"} | body)
    gift = office.gift(fund)
    said = words_of(office.lin.get(f"/v1/donations/{gift}/receipt.pdf").content)

    assert "龘䶮㐂喆 𠮷 Ünïcode" in said
    assert "#let *x* $1$ @a" in said


def test_it_is_for_those_who_may_read_the_receipt(server, path, receipt):
    donor = json.loads(receipt)["donation"]["donor"]
    giver = server.person("giver", Role.DONOR, donor=donor)
    other = server.person("other", Role.DONOR, donor="01a20737-75c3-7cc1-b1f2-e52f15c6c3a7")
    partner = server.person("partner", Role.PARTNER)

    assert giver.get(f"{path}.pdf").status_code == 200
    assert other.get(f"{path}.pdf").status_code == 404
    assert partner.get(f"{path}.pdf").status_code == 403
    assert server.public.get(f"{path}.pdf").status_code == 401
    assert giver.get(f"{path}.pdf", at_least=99_999_999).status_code == 422


@pytest.mark.slow
def test_a_demos_receipt_says_that_it_is_made_up(tmp_path, paper):
    data = tmp_path / "demo"
    made = leifeng("demo", "--data", data, "--no-serve")
    assert made.returncode == 0, made.stderr
    with serving(data) as demo:
        auditor = demo.person("an", Role.AUDITOR)
        gift = auditor.read("/v1/donations", limit=1)["items"][0]["id"]
        said = words_of(auditor.get(f"/v1/donations/{gift}/receipt.pdf").content)

    assert "演示数据 / ILLUSTRATIVE" in said
    assert "ILLUSTRATIVE" not in words_of(paper)


@pytest.mark.slow
def test_a_server_without_typst_says_so(tmp_path):
    hidden = tmp_path / "typst"
    hidden.mkdir()
    (hidden / "__init__.py").write_text("raise ModuleNotFoundError('none', name='typst')\n")
    paths = f"{tmp_path}:{ENVIRONMENT['PYTHONPATH']}"
    with serving(tmp_path / "data", around={"PYTHONPATH": paths}) as server:
        clerk = server.person("lin", Role.CLERK)
        answer = clerk.get("/v1/donations/01a20737-75c3-7cc1-b1f2-e52f15c6c3a7/receipt.pdf")

    assert answer.status_code == 501
    assert answer.json()["type"] == "/problems/not-typeset"
    assert "typst" in answer.json()["detail"]
