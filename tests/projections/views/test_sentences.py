"""What the audit trail says of each kind of event, in Chinese and in English."""

import pytest

from ledger.kernel.aggregate import FACTS
from projections.views.every import sentence
from tests.samples import (
    BOUNCED,
    DECLARED,
    ERASED,
    GOODS_RETURNED,
    IN_PARTS,
    OPENED,
    OVERPAYMENT,
    PAYMENT_CONFIRMED,
    PLACED,
    POLICY_SET,
    REQUESTED,
    RESERVED,
    RESTRICTED,
    SAMPLES,
    SETTLED,
    TRANSFERRED,
    given_back,
)


@pytest.mark.parametrize("said", SAMPLES, ids=lambda said: said.kind.TOPIC)
def test_every_kind_of_event_is_told_in_both_languages(said):
    told = sentence(said.stamped())

    for words in told:
        assert words.strip()
        assert not set("{}") & set(words)
        assert "None" not in words
    assert not told.zh.isascii()
    assert told.en[0].isupper() or told.en[0].isdigit()


def test_no_kind_of_event_is_left_untold():
    assert {said.kind.TOPIC for said in SAMPLES} == set(FACTS)


@pytest.mark.parametrize(
    ("said", "zh", "en"),
    [
        (
            OPENED,
            "设立限定性专项资金F-HEAR「爱心测听室专项」，用途：为76名儿童捐建测听室",
            "Fund F-HEAR “爱心测听室专项” was opened, restricted, for: 为76名儿童捐建测听室",
        ),
        (
            RESTRICTED,
            "限制处理一位捐赠人的个人信息至2056-12-31，依据：法定保存期限未满",
            (
                "Use of a donor's details was restricted until 2056-12-31, because the law has them"
                " kept for a time"
            ),
        ),
        (
            ERASED,
            "删除一位捐赠人的个人信息，依据：撤回同意，捐赠人本人提出",
            "A donor's details were erased, because consent was withdrawn; asked by the donor",
        ),
        (
            IN_PARTS,
            "向F-HEAR认捐100.00元，分2期",
            "100.00 was pledged to fund F-HEAR in 2 instalments",
        ),
        (
            OVERPAYMENT,
            "F-HEAR经银行到账130.00元（凭证B-1），其中超出认捐的30.00元暂挂，待捐赠人决定",
            (
                "130.00 arrived for fund F-HEAR by the bank (ref. B-1), of which 30.00 beyond the"
                " pledge waits for the donor's decision"
            ),
        ),
        (
            TRANSFERRED,
            "F-HEAR向F-WARM调拨1,000.00元，依据：donor's consent 07",
            "1,000.00 moved from fund F-HEAR to F-WARM, on the basis of: donor's consent 07",
        ),
        (
            SETTLED,
            "义卖结算：总额201,380.00元，退货3,708.00元，费用4,151.11元，净额193,520.89元归F-HEAR",
            (
                "The sale was settled: 201,380.00 less 3,708.00 back, 4,151.11 fees:"
                " 193,520.89 for F-HEAR"
            ),
        ),
        (
            GOODS_RETURNED,
            "退货R-1：退回1件，168.00元（F-HEAR）",
            "Return R-1: 1 piece came back for 168.00, from fund F-HEAR",
        ),
        (
            PLACED,
            "订单JLG-1：售出3件，424.00元（F-HEAR）",
            "Order JLG-1: 3 pieces sold for 424.00, for fund F-HEAR",
        ),
        (
            REQUESTED,
            "申请自F-HEAR拨付500.00元给爱丽聋儿康复中心：测听室设备首款",
            "500.00 of fund F-HEAR was asked for 爱丽聋儿康复中心: 测听室设备首款",
        ),
        (
            REQUESTED.but(payee_kind="person", payee_name=None),
            "申请自F-HEAR拨付500.00元给个人：测听室设备首款",
            "500.00 of fund F-HEAR was asked for a person: 测听室设备首款",
        ),
        (
            BOUNCED,
            "付款退回F-HEAR共500.00元：账号户名不符",
            "A payment of 500.00 out of fund F-HEAR bounced: 账号户名不符",
        ),
        (
            RESERVED.but(approvals=1),
            "一人审批完成，F-HEAR预留500.00元",
            "One person had approved: 500.00 of fund F-HEAR was set aside",
        ),
        (
            PAYMENT_CONFIRMED,
            "F-HEAR经银行到账的130.00元（凭证B-1）已与对账单ST-03核对",
            "130.00 for fund F-HEAR by the bank (ref. B-1) was found on statement ST-03",
        ),
        (
            POLICY_SET,
            (
                "自2026-04-01起拨付审批：200.00元以内一人审批，一般两人审批，超过50,000.00元三人审批，"
                "依据：resolution 2026-03"
            ),
            (
                "From 2026-04-01, one person approves up to 200.00, two people approve, three above"
                " 50,000.00; basis: resolution 2026-03"
            ),
        ),
        (
            POLICY_SET.but(one_approval_up_to=0, three_approvals_above=None),
            "自2026-04-01起拨付审批：一般两人审批，依据：resolution 2026-03",
            "From 2026-04-01, two people approve; basis: resolution 2026-03",
        ),
        (
            DECLARED,
            "有人申报与「爱丽聋儿康复中心」有关联（亲属）",
            "Somebody declared a relation to “爱丽聋儿康复中心” (a relative)",
        ),
        (
            DECLARED.but(organisation=None, party="party-1", relation="work"),
            "有人申报与一位当事人有关联（任职）",
            "Somebody declared a relation to a party (employed or in office there)",
        ),
        (
            given_back(125_00),
            "受益方向F-HEAR退回125.00元（凭证R-1）",
            "The payee gave 125.00 back to fund F-HEAR (ref. R-1)",
        ),
    ],
)
def test_sentences_are_as_a_reader_would_say_them(said, zh, en):
    told = sentence(said.stamped())

    assert (told.zh, told.en) == (zh, en)
