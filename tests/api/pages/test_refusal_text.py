"""A refusal is said in the reader's language, whatever a page may be answered with."""

import ast
import re
from datetime import date
from inspect import unwrap
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from pydantic import BaseModel

from api.kernel.doors import Door
from api.kernel.problems import InternalError, NotTypeset, RoleForbidden, problem
from api.pages.kit.field_names import name_of
from api.pages.kit.languages import words
from api.pages.kit.refusal_text import sentence
from api.pages.kit.rendering import render
from api.routes.every import routes
from ledger.aggregates.disbursements.states import DisbursementState
from ledger.aggregates.donations.facts import Instalment
from ledger.aggregates.donations.rules import PublicPromiseBinds
from ledger.aggregates.donations.states import DonationState
from ledger.aggregates.funds import FundCode, FundFrozen, FundNotEmpty, InsufficientFunds
from ledger.aggregates.sales.orders import GoodsReturn, Order, OrderLine
from ledger.aggregates.sales.settlements import Differing, SettlementMismatch
from ledger.feeds.pledges import Payment, Pledge
from ledger.kernel.duties import OwnRequest
from ledger.kernel.errors import Confidential, Invalid, LedgerError, NotFound, WrongState
from ledger.kernel.payments import PaymentCounted, PaymentDiffers
from ledger.kernel.roles import Role
from ledger.kernel.sentences import Sentence, Several, Word
from ledger.store.commits import StoreFailed
from tests.folders import HOUSE
from tests.msgids import SENTENCE, arguments, messages, modules, silent
from tests.rules import below
from tests.samples import HEAR

PAGES = HOUSE / "api/pages"

HIDDEN = {"do", "sort", "viewport", "stream", "grid", "next", "named", "ref", "change", "actor"}
"""What templates name that nobody fills in."""

DONATION = Sentence("donation {donation}", donation="7")


@pytest.fixture(name="sentences", scope="module")
def _sentences():
    return set(messages())


def test_the_sentences_of_refusals_are_found(sentences):
    assert len(sentences) > 300
    assert "fund {fund} is closed" in sentences  # A class's own.
    assert "{on} is in the future" in sentences  # Written at a call.
    assert "there is no token with this id that still works" in sentences  # By its name.
    assert "partly-approved" in sentences


def test_every_sentence_is_written_out_where_it_is_made():
    for module in modules():
        for each in arguments(module):
            assert each.kind != SENTENCE or each.text is not None, each.where


def test_no_refusal_is_without_a_sentence():
    for module in modules():
        assert list(silent(module)) == []


def test_what_is_kept_from_strangers_has_a_sentence_for_them():
    assert all(kind.says for kind in below(Confidential) if kind is not Confidential)


def test_whatever_a_refusal_says_is_said_in_chinese(sentences):
    for message in sentences:
        text = words("zh").gettext(message)

        assert re.search(r"[\u4e00-\u9fff]|[；、，：]", text), message
        assert not re.search(r"[a-z]{3} [a-z]{2}", text.replace("leifeng audit new-log", ""))


MADE = [
    (
        InsufficientFunds(HEAR, available=1_797_089, wanted=2_000_000),
        "fund F-HEAR has 17,970.89 yuan available, which 20,000.00 would exceed",
        "基金 F-HEAR 可用 17,970.89 元，不足 20,000.00 元",
        {"fund": HEAR, "available": 1_797_089, "wanted": 2_000_000},
    ),
    (
        WrongState("payment", DONATION, DonationState.WITHDRAWN, ("refund",)),
        "payment is not possible: donation 7 is withdrawn, which allows refund",
        "捐赠 7 目前为“已撤回”，不能办理付款；可办理：退款",
        {"step": "payment", "donation": "7", "state": "withdrawn", "allowed": ["refund"]},
    ),
    (
        WrongState("approval", DONATION, DisbursementState.REJECTED, ()),
        "approval is not possible: donation 7 is rejected, which allows nothing",
        "捐赠 7 目前为“已驳回”，不能办理批准；可办理：无",
        {"step": "approval", "donation": "7", "state": "rejected", "allowed": []},
    ),
    (
        WrongState("roles", Sentence("this person"), "disabled", ()),
        "roles is not possible: this person is disabled, which allows nothing",
        "此人 目前为“已停用”，不能办理职责变更；可办理：无",
        {"step": "roles", "state": "disabled", "allowed": []},
    ),
    (
        OwnRequest(thing=Sentence("the payment of disbursement {disbursement}", disbursement="7")),
        "whoever requested the payment of disbursement 7 may not approve it",
        "拨付 7 的付款 的申请人不得批准该申请",
        {"disbursement": "7"},
    ),
    (
        RoleForbidden((Role.APPROVER, Role.TREASURER)),
        "this takes the role of approver or treasurer",
        "须由审批人或司库办理",
        {"roles": ["approver", "treasurer"]},
    ),
    (
        PaymentCounted("wechat", "WX-20"),
        "wechat payment WX-20 is already counted elsewhere",
        "微信支付付款 WX-20 已计入另一捐赠",
        {"channel": "wechat", "external_ref": "WX-20"},
    ),
    (
        PaymentDiffers("bank", "or {A}, open", 1_00),
        "bank payment or {A}, open is already recorded, with 1.00 yuan",
        "银行付款 or {A}, open 已经记录，金额 1.00 元",
        {"channel": "bank", "external_ref": "or {A}, open", "amount": 100},
    ),
    (
        PublicPromiseBinds("7"),
        "donation 7 was promised in public and cannot be withdrawn",
        "捐赠 7 系公开承诺，不得撤回",
        {"donation": "7"},
    ),
    (
        FundNotEmpty(HEAR, "pledged", 5),
        "fund F-HEAR still has 0.05 yuan in pledged",
        "基金 F-HEAR 的认捐未到账尚有 0.05 元",
        {"fund": HEAR, "holding": "pledged", "amount": 5},
    ),
    (
        FundNotEmpty(HEAR, "sales", 2),
        "fund F-HEAR still has 2 unsettled sales",
        "基金 F-HEAR 尚有 2 场义卖未结算",
        {"fund": HEAR, "sales": 2},
    ),
    (
        SettlementMismatch("7", [Differing("gross", 1_00, 2_00), Differing("refunds", 3_00, 0)]),
        (
            "the statement of sale 7 differs: gross: theirs 1.00, ours 2.00;"
            " refunds: theirs 3.00, ours 0.00"
        ),
        "义卖 7 的结算单不一致：总额：对方 1.00，我方 2.00；退款：对方 3.00，我方 0.00",
        {
            "sale": "7",
            "figures": [
                {"figure": "gross", "theirs": 100, "ours": 200},
                {"figure": "refunds", "theirs": 300, "ours": 0},
            ],
        },
    ),
    (
        NotFound("fund", by="code"),
        "there is no fund with this code",
        "没有此代码的基金",
        {"kind": "fund", "by": "code"},
    ),
    (
        NotFound("donation", 7),
        "there is no donation 7",
        "没有这样的捐赠：7",
        {"kind": "donation", "name": 7},
    ),
    (
        Invalid("on", "{on} is in the future", on=date(2030, 1, 1)),
        "on: 2030-01-01 is in the future",
        "业务日：2030-01-01 尚未到来",
        {"field": "on", "on": date(2030, 1, 1)},
    ),
    (
        NotTypeset("typst"),
        "there is no typst here; the receipt as JSON says the same",
        "此处没有 typst；JSON 收据内容相同",
        {"missing": "typst"},
    ),
    (
        InternalError(),
        "it is not known whether anything was written; send the request again with the same key",
        "不清楚是否已写入；请以同一标识再次提交",
        {},
    ),
]


FIELDS_NAMED = {
    "on: 2030-01-01 is in the future": "Business day: 2030-01-01 is in the future",
    "the statement of sale 7 differs: gross: theirs 1.00, ours 2.00;"
    " refunds: theirs 3.00, ours 0.00": "the statement of sale 7 differs:"
    " Gross: theirs 1.00, ours 2.00; Refunds: theirs 3.00, ours 0.00",
}
"""What pages say in English where fields of a request are named."""


@pytest.mark.parametrize(("refusal", "english", "chinese", "facts"), MADE)
def test_a_refusal_has_its_sentence_and_its_facts(refusal, english, chinese, facts):
    assert str(refusal) == english
    assert sentence(refusal, "en") == FIELDS_NAMED.get(english, english)
    assert sentence(refusal, "zh") == chinese
    assert problem(refusal)["detail"] == english
    assert problem(refusal)["facts"] == facts


def test_what_only_the_operator_may_know_is_in_neither_sentence_nor_facts():
    refusal = StoreFailed(OSError("/var/ledger.db"))

    assert str(refusal) == "nothing was written: /var/ledger.db"
    assert problem(refusal)["detail"] == "nothing was written"
    assert problem(refusal)["facts"] == {}
    assert sentence(refusal, "zh") == "没有写入任何内容"


def test_a_text_that_is_no_sentence_of_ours_is_left_as_it_is():
    assert str(LedgerError("{it} rains")) == sentence(LedgerError("{it} rains"), "zh")


def test_nobodys_name_is_taken_for_a_word():
    refusal = Invalid(
        "note", "{names}", names=Several((Word("open"), "open", Sentence("donor {donor}", donor=1)))
    )

    assert sentence(refusal, "zh") == "备注：开放、open、捐赠人 1"


def shown_to(language, refusal):
    return render(
        "problem.html",
        language,
        nonce="",
        path="/",
        illustrative=False,
        toggles={"zh": "", "en": ""},
        refusal=refusal,
        number=409,
        reading=None,
    )


def test_what_was_sent_is_shown_and_never_markup():
    shown = shown_to("zh", FundFrozen(FundCode("<b>")))

    assert "基金 &lt;b&gt; 已冻结" in shown
    assert "<b>" not in shown


def test_a_page_says_the_rule_and_what_to_do_next():
    shown = shown_to("zh", FundFrozen(HEAR))

    assert "冻结的基金不得支出" in shown
    assert "请向财务主管询问该基金被冻结的原因。" in shown


# Names of fields.


def models(kind):
    """Yield the models that a body is made of."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
        for field in kind.model_fields.values():
            yield from models(field.annotation)
    for part in get_args(kind):
        yield from models(part)


def bodies():
    """Return the body of every route that takes one."""
    doors = (each for router in routes() for each in router.routes if isinstance(each, Door))
    hints = (get_type_hints(unwrap(each.endpoint)) for each in doors)
    return [each["body"] for each in hints if "body" in each]


def refused_by_name():
    """Yield every name of a field that is written out where it is refused."""
    for module in modules():
        if not module.__name__.startswith(("ledger.", "api.pages.", "api.routes.")):
            continue
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        calls = (each for each in ast.walk(tree) if isinstance(each, ast.Call))
        for call in calls:
            if ast.unparse(call.func) == "Invalid" and isinstance(call.args[0], ast.Constant):
                yield call.args[0].value


def in_both_languages(field):
    name = name_of(field)
    return name is not None and all(words(each).gettext(name) for each in ("en", "zh"))


def test_every_field_of_a_body_has_a_name():
    fields = {name for body in bodies() for model in models(body) for name in model.model_fields}

    assert len(fields) > 50
    assert [each for each in sorted(fields) if not in_both_languages(each)] == []


@pytest.mark.parametrize("kind", [Pledge, Instalment, Payment, Order, OrderLine, GoodsReturn])
def test_every_field_of_a_feeds_line_has_a_name(kind):
    assert [each for each in kind.__struct_fields__ if not in_both_languages(each)] == []


def test_every_field_that_is_refused_by_its_name_has_one():
    fields = set(refused_by_name()) - {"Content-Type"}

    assert len(fields) > 20
    assert [each for each in sorted(fields) if not in_both_languages(each)] == []


def test_a_part_of_a_field_goes_by_its_own_name():
    refusal = Invalid("instalments.0.amount", "must be above zero")

    assert sentence(refusal, "en") == "The amount: must be above zero"
    assert sentence(refusal, "zh") == "金额：须大于零"


def test_every_field_that_somebody_fills_in_has_a_name():
    named = {
        name
        for template in PAGES.rglob("templates/*.html")
        for name in re.findall(r'name="([a-z_]+)"', template.read_text(encoding="utf-8"))
    }

    assert [each for each in sorted(named - HIDDEN) if not in_both_languages(each)] == []
