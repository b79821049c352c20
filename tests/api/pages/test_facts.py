"""What a refusal found is said in the reader's language, whatever a page may be answered with."""

import ast
import re
from datetime import date

import pytest

from api.kernel.problems import FOR_THE_OPERATOR, RoleForbidden, detail_of
from api.pages.kit.fact_words import SENTENCES, WORDS
from api.pages.kit.facts import _forms, facts, told
from api.pages.kit.languages import words
from ledger.aggregates.disbursements.states import DisbursementState
from ledger.aggregates.donations.donation import DonationState, PublicPromiseBinds
from ledger.aggregates.donors import DonorState
from ledger.aggregates.funds import FundNotEmpty, FundState, InsufficientFunds
from ledger.aggregates.sales.sale import SaleState
from ledger.kernel.aggregate import Aggregate
from ledger.kernel.duties import OwnRequest
from ledger.kernel.errors import Invalid, NotFound, WrongState
from ledger.kernel.payments import PaymentCounted
from ledger.kernel.roles import Role
from ledger.store.commits import StoreFailed
from tests.folders import HOUSE
from tests.samples import HEAR

ON_PAGES = (
    *(HOUSE / "src/ledger/kernel").glob("*.py"),
    *(HOUSE / "src/ledger/aggregates").rglob("*.py"),
    *(HOUSE / "src/ledger/books").glob("*.py"),
    *(HOUSE / "src/ledger/commands").glob("*.py"),
    *(
        HOUSE / "src/ledger/people" / f"{name}.py"
        for name in ("passwords", "second_factors", "roll")
    ),
    HOUSE / "src/ledger/store/committer.py",
    *(HOUSE / "api/pages").rglob("*.py"),
    HOUSE / "api/gate/origin.py",
    HOUSE / "api/gate/slowdown.py",
)
"""Where refusals are made that somebody who uses the pages may be answered with."""

ELSEWHERE = ("lines.py", "orders.py", "strict_json.py")
"""Refusals of a feed's lines, which programs send."""

FOR_PROGRAMMERS = {"AssertionError", "LookupError", "TypeError"}

TEMPLATES = HOUSE / "api/pages/templates"

HIDDEN = {"viewport", "stream", "grid", "next", "named", "ref", "change", "actor"}
"""What templates name that nobody fills in."""


def written(node):
    """Return the text of a string as it is written, with a 9 for whatever is put into it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "9" for part in node.values
        )
    return ""


def said_in(path):
    """Return every sentence that refusals of a module are made of."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            made = node.exc
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "super().__init__":
            made = node
        else:
            continue
        if ast.unparse(made.func) == "NotFound":
            yield "there is no " + " ".join(written(each) or "9" for each in made.args)
        elif ast.unparse(made.func) not in FOR_PROGRAMMERS:
            yield from (text for each in made.args if " " in (text := written(each)))


SAID = sorted(
    {said for path in ON_PAGES if path.name not in ELSEWHERE for said in said_in(path)}
    | set(FOR_THE_OPERATOR.values())
)


def test_there_is_something_to_say():
    assert len(SAID) > 100
    assert "fund 9 is closed" in SAID


@pytest.mark.parametrize("said", SAID)
def test_every_sentence_of_a_refusal_is_said_in_chinese(said):
    thing = f"9 is not possible: {said} is 9, which allows 9"  # Some are what a step is about.

    assert any(
        re.search(r"[\u4e00-\u9fff]", found) and not re.search(r"[a-z]{3} [a-z]{2}", found)
        for found in (told(said, "zh"), told(thing, "zh"))
        if found is not None
    )


def test_every_sentence_is_one_that_is_said():
    everywhere = set(SAID)
    for package in ("src/ledger", "api", "projections"):
        for path in (HOUSE / package).rglob("*.py"):
            if path.name != "fact_words.py":
                everywhere.update(
                    map(written, ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
                )

    for form, sentence in _forms():
        assert any(map(form.fullmatch, everywhere)), sentence


@pytest.mark.parametrize("sentence", SENTENCES)
def test_what_stands_in_a_sentence_stands_in_its_translation(sentence):
    places = re.findall(r"\{\w+\}", sentence)

    assert sorted(re.findall(r"\{\w+\}", words("zh").gettext(sentence))) == sorted(places)


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (
            InsufficientFunds(HEAR, available=1_797_089, wanted=2_000_000),
            "基金 F-HEAR 可用 17,970.89 元，不足 20,000.00 元",
        ),
        (
            WrongState("payment", "donation 7", DonationState.WITHDRAWN, ("refund",)),
            "捐赠 7 目前为“已撤回”，不能办理付款；可办理：退款",
        ),
        (
            WrongState("approval", "disbursement 7", DisbursementState.REJECTED, ()),
            "拨付 7 目前为“已驳回”，不能办理批准；可办理：无",
        ),
        (
            WrongState("roles", "this person", "disabled", ()),
            "此人 目前为“已停用”，不能办理职责变更；可办理：无",
        ),
        (OwnRequest("disbursement 7"), "拨付 7 的申请人不得批准该申请"),
        (OwnRequest("the payment of disbursement 7"), "拨付 7 的付款 的申请人不得批准该申请"),
        (RoleForbidden("this takes the role of approver or treasurer"), "须由审批人或司库办理"),
        (PaymentCounted("wechat", "WX-20"), "微信支付付款 WX-20 已计入另一捐赠"),
        (PublicPromiseBinds("7"), "捐赠 7 系公开承诺，不得撤回"),
        (FundNotEmpty(HEAR, "pledged", 5), "基金 F-HEAR 的认捐未到账尚有 0.05 元"),
        (FundNotEmpty(HEAR, "sales", 2), "基金 F-HEAR 的未结算的义卖尚有 2"),
        (NotFound("fund", "of this code"), "没有此代码的基金"),
        (NotFound("donation", 7), "没有这样的捐赠：7"),
        (NotFound("such thing", "here"), "此处没有这样的内容"),
        (Invalid("on", f"{date(2030, 1, 1)} is in the future"), "业务日：2030-01-01 尚未到来"),
        (StoreFailed(OSError("/var/ledger.db")), "没有写入任何内容"),
    ],
)
def test_the_facts_of_a_refusal_in_chinese(refusal, said):
    assert facts("zh")(detail_of(refusal)) == said


def test_in_english_they_are_as_the_ledger_says_them():
    assert facts("en")("fund F-HEAR is <closed>") == "fund F-HEAR is &lt;closed&gt;"


def test_what_nobody_translated_is_shown_as_english():
    assert facts("zh")("<it> rains") == '<span lang="en">&lt;it&gt; rains</span>'


def test_somebody_elses_words_are_left_as_they_are():
    assert told("return A, or B is already recorded, with 1.00 yuan", "zh") == (
        "退回款 A, or B 已经记录，金额 1.00 元"
    )


def test_what_repeats_a_long_text_is_not_looked_through():
    assert told("fund F-HEAR is closed", "zh") is not None
    assert told(f"fund {'is closed ' * 50}is closed", "zh") is None


def test_what_was_sent_is_shown_and_never_markup():
    assert facts("zh")("fund <b> is closed") == "基金 &lt;b&gt; 已关闭"


def test_every_field_that_somebody_fills_in_has_a_name():
    named = {
        name
        for template in TEMPLATES.glob("*.html")
        for name in re.findall(r'name="([a-z_]+)"', template.read_text(encoding="utf-8"))
    }

    assert named - HIDDEN <= WORDS


@pytest.mark.parametrize(
    "states", [DisbursementState, DonationState, DonorState, FundState, SaleState, Role]
)
def test_every_state_and_role_has_a_word(states):
    assert {str(each) for each in states} <= WORDS


def test_every_kind_of_thing_that_can_be_looked_for_has_a_word():
    kinds = {
        kind.TOPIC for kind in Aggregate.__subclasses__() if kind.__module__.startswith("ledger.")
    }

    assert "sale-order" in kinds
    assert kinds <= WORDS
