"""The books in other formats: what each makes of two events, one with an entry and one without."""

import json
from datetime import UTC, date, datetime
from itertools import islice, repeat
from uuid import UUID

import pytest

from ledger.aggregates.donations.donation import Donation
from ledger.aggregates.funds import Fund
from ledger.books.accounts import ACCOUNTS
from ledger.kernel.aggregate import FACTS
from ledger.kernel.names import FundCode, PersonId, Position, fund_stream
from ledger.store.form import StoredForm
from projections.exports.plain_text import EXPORTS, account_name, title
from projections.kernel.history import as_record

HEAR_OPENED = Fund.Opened(
    originator_id=fund_stream(FundCode("F-HEAR")),
    originator_version=1,
    on=date(2026, 1, 5),
    recorded_at=datetime(2026, 1, 5, 1, 2, 3, tzinfo=UTC),
    actor=PersonId("p-1"),
    role="treasurer",
    command=UUID(int=1),
    salt="00" * 16,
    fund=FundCode("F-HEAR"),
    name="爱心测听室",
    purpose="为76名儿童捐建测听室",
    restriction="restricted",
    currency="CNY",
)

OVERPAID = Donation.PaymentReceived(
    originator_id=UUID(int=7),
    originator_version=2,
    on=date(2026, 3, 30),
    recorded_at=datetime(2026, 3, 31, 10, 0, tzinfo=UTC),
    actor=PersonId('出纳, "2"'),
    role="cashier",
    command=UUID(int=2),
    salt="ff" * 16,
    fund=FundCode("F-HEAR"),
    restriction="restricted",
    amount=1_500_005,
    excess=5,
    currency="CNY",
    channel="wechat",
    external_ref="WX-1",
)

TINY = [(Position(1), HEAR_OPENED), (Position(2), OVERPAID)]

TINY_BEANCOUNT = """\
option "title" "Leifeng ledger"
option "operating_currency" "CNY"
2026-01-01 commodity CNY

2026-01-01 open Assets:1009-Payment-platforms:F-HEAR CNY
  code: "1009"
  fund: "F-HEAR"
  zh: "其他货币资金"

2026-01-01 open Income:4101-R-Donations:F-HEAR CNY
  code: "4101.R"
  fund: "F-HEAR"
  zh: "捐赠收入—限定性"

2026-01-01 open Liabilities:2209-Refunds-due-and-suspense:F-HEAR CNY
  code: "2209"
  fund: "F-HEAR"
  zh: "其他应付款"

2026-03-30 * "Donation: payment received"
  position: 2
  topic: "donation.payment-received.1"
  stream: "00000000-0000-0000-0000-000000000007"
  actor: "%E5%87%BA%E7%BA%B3%2C %222%22"
  command: "00000000-0000-0000-0000-000000000002"
  Assets:1009-Payment-platforms:F-HEAR                                  15000.05 CNY
  Income:4101-R-Donations:F-HEAR                                       -15000.00 CNY
  Liabilities:2209-Refunds-due-and-suspense:F-HEAR                         -0.05 CNY
"""

TINY_HLEDGER = """\
; Leifeng ledger. A transaction's code is the position of the event that made it.
decimal-mark .
commodity 1000.00 CNY
account Assets:1001-Cash-on-hand  ; type:C
account Assets:1002-Bank-deposits  ; type:C
account Assets:1009-Payment-platforms  ; type:C
account Assets:1121-Due-from-sale-partners  ; type:A
account Liabilities:2209-Refunds-due-and-suspense  ; type:L
account Equity:3101-Unrestricted-net-assets  ; type:E
account Equity:3102-Restricted-net-assets  ; type:E
account Equity:3201-Prior-period-adjustments  ; type:E
account Income:4101-U-Donations  ; type:R
account Income:4101-R-Donations  ; type:R
account Income:4501-U-Charity-sales  ; type:R
account Income:4501-R-Charity-sales  ; type:R
account Expenses:5101-U-Aid-and-programmes  ; type:X
account Expenses:5101-R-Aid-and-programmes  ; type:X
account Expenses:5301-U-Administration  ; type:X
account Expenses:5301-R-Administration  ; type:X
account Expenses:5401-U-Fundraising  ; type:X
account Expenses:5401-R-Fundraising  ; type:X

account Assets:1009-Payment-platforms:F-HEAR  ; code:1009, fund:F-HEAR

account Income:4101-R-Donations:F-HEAR  ; code:4101.R, fund:F-HEAR

account Liabilities:2209-Refunds-due-and-suspense:F-HEAR  ; code:2209, fund:F-HEAR

2026-03-30 * (2) Donation: payment received
    ; position:2
    ; topic:donation.payment-received.1
    ; stream:00000000-0000-0000-0000-000000000007
    ; actor:%E5%87%BA%E7%BA%B3%2C %222%22
    ; command:00000000-0000-0000-0000-000000000002
  Assets:1009-Payment-platforms:F-HEAR                                  15000.05 CNY
  Income:4101-R-Donations:F-HEAR                                       -15000.00 CNY
  Liabilities:2209-Refunds-due-and-suspense:F-HEAR                         -0.05 CNY
"""

TINY_NDJSON = (
    '{"position":1,"id":"f00f1b0d-b41b-5e91-910e-76b80709cd45","version":1,"type":"fund.opened.1",'
    '"on":"2026-01-05","recorded_at":"2026-01-05T01:02:03Z","actor":"p-1","role":"treasurer",'
    '"command":"00000000-0000-0000-0000-000000000001","salt":"00000000000000000000000000000000",'
    '"data":{"fund":"F-HEAR","name":"爱心测听室","purpose":"为76名儿童捐建测听室",'
    '"restriction":"restricted","currency":"CNY"}}\n'
    '{"position":2,"id":"00000000-0000-0000-0000-000000000007","version":2,'
    '"type":"donation.payment-received.1","on":"2026-03-30","recorded_at":"2026-03-31T10:00:00Z",'
    '"actor":"出纳, \\"2\\"","role":"cashier","command":"00000000-0000-0000-0000-000000000002",'
    '"salt":"ffffffffffffffffffffffffffffffff","data":{"fund":"F-HEAR","restriction":"restricted",'
    '"amount":1500005,"excess":5,"currency":"CNY","channel":"wechat","external_ref":"WX-1"}}\n'
)

WORKED = {"beancount": TINY_BEANCOUNT, "hledger": TINY_HLEDGER, "ndjson": TINY_NDJSON}


@pytest.mark.parametrize("format_", EXPORTS)
def test_every_format_has_a_worked_example(format_):
    assert "".join(EXPORTS[format_](TINY)) == WORKED[format_]


@pytest.mark.parametrize("format_", EXPORTS)
def test_a_history_without_end_is_exported_line_by_line(format_):
    lines = list(islice(EXPORTS[format_](repeat(TINY[1])), 10_000))

    assert all(line.endswith("\n") for line in lines)


def test_no_two_accounts_share_a_name():
    funds = [FundCode("F"), FundCode("F-HEAR"), FundCode("U")]

    names = {account_name(account, fund) for account in ACCOUNTS.values() for fund in funds}

    assert len(names) == len(ACCOUNTS) * len(funds)


def test_every_kind_of_event_has_a_title():
    assert len({title(topic) for topic in FACTS}) == len(FACTS)


def test_a_record_says_all_that_is_stored():
    form = StoredForm()
    for position, fact in TINY:
        record = as_record(position, fact)
        said = record.pop("data") | {"stream": record.pop("id")} | record
        topic = said.pop("type")
        assert said.pop("position") == position
        assert form.read(topic, json.dumps(said).encode()) == fact
