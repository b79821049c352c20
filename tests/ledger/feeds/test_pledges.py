"""Promises by the thousand: a line is recorded once, whole or not at all, and harms no other."""

import json
from datetime import date, timedelta
from functools import partial

import pytest

from ledger.aggregates.donations.donation import Donation
from ledger.books import tallies
from ledger.books.tallies import of_fund, of_payment
from ledger.commands import records
from ledger.feeds.feed import CHUNK_LINES, DETAIL_MAX, NAMED_MAX
from ledger.feeds.pledges import PledgeFeed, read_pledge
from ledger.kernel.errors import Conflict, Refused
from ledger.kernel.ids import new_id
from ledger.kernel.lines import AmountInvalid, DateInvalid, LineMalformed, LineRefused
from ledger.kernel.money import AMOUNT_MAX
from ledger.kernel.names import DonorId, pledge_stream
from ledger.kernel.tallies import Bound, Bounds, Tally
from tests.charity import charity, stored_late, stored_once_looked_up
from tests.samples import CHEN, GENERAL, HEAR, LIN, MEI
from tests.spec import SOMEONE, TODAY, act

TOMORROW = str(TODAY + timedelta(days=1))
NO_BOOKS_YET = "2025-12-31"


def spelled(said):
    return json.dumps(said, default=str).encode()


def payment(ref="WX-1", amount=100_00, **other):
    said = {"amount": amount, "channel": "wechat", "external_ref": ref, "received_on": TODAY}
    return said | other


def line(ref="r-1", **other):
    said = {"ref": ref, "donor": MEI, "fund": HEAR, "amount": 100_00, "currency": "CNY"}
    return spelled(said | {"pledged_on": TODAY} | other)


def without(field):
    return spelled({name: said for name, said in json.loads(line()).items() if name != field})


@pytest.fixture(name="house")
def _house(place):
    with charity(place) as house:
        house.open_fund()
        house.do("register_donor", MEI, anonymous=True)
        yield house


def a_feed(house, who=LIN, *, receives=True):
    return PledgeFeed(house.ledger, act(who), receives=receives)


def fed(house, *lines, **by):
    """Feed ``lines`` in one chunk; return how many were accepted, known, and what was refused."""
    feed = a_feed(house, **by)
    feed.take_in(lines)
    feed.flush()
    return feed.accepted, feed.duplicates, [(each.line, each.code) for each in feed.rejected]


def refused_alone(house, bad, **by):
    """See that a line is refused, that it changes nothing, and that its neighbours stand."""
    before = len(house.facts())
    good = (line(f"before-{new_id()}"), line(f"after-{new_id()}"))

    accepted, duplicates, rejected = fed(house, good[0], bad, good[1], **by)

    assert (accepted, duplicates, len(rejected)) == (2, 0, 1)
    assert house.kinds()[before:] == ["donation.pledged.1"] * 2
    house.check_tallies()
    return rejected[0]


# What a line says.


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (b"not json", LineMalformed),
        (b"[]", LineMalformed),
        (b"[" * 100_000, LineMalformed),
        (b'{"ref":"\xff"}', LineMalformed),
        (without("ref"), LineMalformed),
        (without("donor"), LineMalformed),
        (without("amount"), LineMalformed),
        (without("pledged_on"), LineMalformed),
        (line(phone="13900000000"), LineMalformed),
        (line(""), LineMalformed),
        (line("a b"), LineMalformed),
        (line("第一"), LineMalformed),
        (line("r" * 65), LineMalformed),
        (line(5), LineMalformed),
        (line(donor="mei"), LineMalformed),
        (line(currency="USD"), LineMalformed),
        (line(public_promise="yes"), LineMalformed),
        (line(payment={}), LineMalformed),
        (line(payment=payment(ref="")), LineMalformed),
        (line(payment=payment(ref="WX\x00")), LineMalformed),
        (line(payment=payment(channel="cheque")), LineMalformed),
        (line(amount=100.5), AmountInvalid),
        (line(amount="10000"), AmountInvalid),
        (line(amount=True), AmountInvalid),
        (line(amount=None), AmountInvalid),
        (line(payment=payment(amount=1.0)), AmountInvalid),
        (line(instalments=[{"due_on": TODAY, "amount": 0.5}]), AmountInvalid),
        (line(instalments=[{"due_on": TODAY, "amount": 0}]), AmountInvalid),
        (line(pledged_on="2026-02-30"), DateInvalid),
        (line(pledged_on="20260401"), DateInvalid),
        (line(pledged_on=20260401), DateInvalid),
        (line(pledged_on="2026-04-01T00:00:00Z"), DateInvalid),
        (line(payment=payment(received_on="yesterday")), DateInvalid),
        (line(instalments=[{"due_on": "2026-13-01", "amount": 1}]), DateInvalid),
    ],
)
def test_a_lines_first_fault_is_named(said, fault):
    with pytest.raises(LineRefused) as refusal:
        read_pledge(said)

    assert type(refusal.value) is fault


def test_a_ref_is_1_to_64_visible_characters():
    assert read_pledge(line("~")).ref == "~"
    assert len(read_pledge(line("!" * 64)).ref) == 64


def test_what_a_line_may_leave_out_may_also_be_null():
    assert read_pledge(line(note=None, payment=None)) == read_pledge(line())


# Good lines.


def test_a_line_is_a_pledge_as_a_single_request_would_record_it(house):
    parts = [{"due_on": "2026-05-01", "amount": 60_00}, {"due_on": "2026-04-01", "amount": 40_00}]
    words = {"instalments": parts, "public_promise": True, "note": "电视热线"}

    assert fed(house, line(**words)) == (1, 0, [])

    batched = house.facts()[-1]
    assert isinstance(batched, Donation.Pledged)
    assert (batched.donor, batched.fund, batched.amount, batched.on) == (MEI, HEAR, 100_00, TODAY)
    assert [each.amount for each in batched.instalments] == [40_00, 60_00]
    assert (batched.public_promise, batched.note, batched.role) == (True, "电视热线", "clerk")
    assert house.tally(of_fund(HEAR, "pledged")) == 100_00


def test_a_payment_in_the_line_is_recorded_with_it_by_a_cashier(house):
    assert fed(house, line(payment=payment(amount=130_00))) == (1, 0, [])

    pledged, paid = house.facts()[-2:]
    assert (pledged.role, paid.role) == ("clerk", "cashier")
    assert pledged.actor == paid.actor == LIN
    assert (paid.originator_id, paid.originator_version) == (pledged.originator_id, 2)
    assert (paid.amount, paid.excess, paid.external_ref) == (130_00, 30_00, "WX-1")
    assert house.available() == 100_00
    assert house.tally(of_payment("wechat", "WX-1")) == 1
    house.check_tallies()


def test_an_id_follows_from_who_feeds_and_their_ref(house):
    feed = a_feed(house)
    feed.take_in([line("r-1"), b"?", line("r-2")])
    feed.flush()

    assert feed.donations == [(1, pledge_stream(LIN, "r-1")), (3, pledge_stream(LIN, "r-2"))]
    assert house.ledger.get(Donation, pledge_stream(LIN, "r-2")).open == 100_00


def test_two_people_may_use_the_same_ref(house):
    assert fed(house, line(), who=LIN) == (1, 0, [])
    assert fed(house, line(amount=5), who=CHEN) == (1, 0, [])


def test_what_came_of_a_feed_is_its_answer(house):
    feed = a_feed(house)
    feed.take_in([line("r-1"), line("r-1"), b"?", b"", line("r-2")])

    receipt = feed.finish(act(LIN))

    assert receipt.position == len(house.facts())
    assert receipt.summary == {
        "accepted": 2,
        "duplicates": 1,
        "rejected": [{"line": 3, "code": "line.malformed", "detail": "is not JSON"}],
        "donations": [
            {"line": 1, "id": pledge_stream(LIN, "r-1")},
            {"line": 5, "id": pledge_stream(LIN, "r-2")},
        ],
        "repeats": [{"line": 2, "id": pledge_stream(LIN, "r-1")}],
    }


# Repeats.


@pytest.mark.parametrize("more", [{}, {"payment": payment()}])
def test_a_line_that_comes_again_is_counted_and_skipped(house, more):
    assert fed(house, line(**more), line(**more)) == (1, 1, [])
    recorded = len(house.facts())

    assert fed(house, line(**more)) == (0, 1, [])
    assert len(house.facts()) == recorded


def test_the_order_of_instalments_makes_no_other_line(house):
    parts = [{"due_on": "2026-05-01", "amount": 60_00}, {"due_on": "2026-04-01", "amount": 40_00}]

    assert fed(house, line(instalments=parts), line(instalments=parts[::-1])) == (1, 1, [])
    assert fed(house, line(instalments=parts[::-1])) == (0, 1, [])


@pytest.mark.parametrize(
    ("first", "other", "named"),
    [
        ({}, {"amount": 1}, "amount"),
        ({}, {"donor": new_id()}, "donor"),
        ({}, {"fund": GENERAL, "note": "n"}, "fund, note"),
        ({}, {"pledged_on": "2026-03-31"}, "pledged_on"),
        ({}, {"public_promise": True}, "public_promise"),
        ({}, {"instalments": [{"due_on": TODAY, "amount": 100_00}]}, "instalments"),
        ({}, {"payment": payment()}, "payment"),
        ({"payment": payment()}, {}, "payment"),
        ({"payment": payment()}, {"payment": payment("WX-2")}, "payment"),
        ({"payment": payment()}, {"payment": payment(amount=1)}, "payment"),
        ({"payment": payment()}, {"payment": payment(received_on="2026-03-31")}, "payment"),
    ],
)
def test_another_line_of_a_known_ref_is_a_conflict_and_says_where(house, first, other, named):
    fed(house, line(**first))
    for lines in ([line(**other)], [line("r-2", **first | {"payment": None}), line(**other)]):
        feed = a_feed(house)
        feed.take_in(lines)
        feed.flush()

        (rejected,) = feed.rejected
        assert rejected.code == "pledge.conflict"
        assert rejected.detail == f"r-1 is already recorded with other {named}"


def test_what_was_done_since_by_other_requests_does_not_make_a_repeat_another_line(house):
    fed(house, line("open"), line("paid", payment=payment(amount=40_00)))
    for ref in ("open", "paid"):
        house.pay_in(pledge_stream(LIN, ref), 60_00)
    house.do("refund", pledge_stream(LIN, "paid"), amount=1, cause="error", reason="sent twice")

    lines = [line("open"), line("paid", payment=payment(amount=40_00))]
    assert fed(house, *lines) == (0, 2, [])


def test_a_repeat_is_known_after_its_fund_was_closed(house):
    house.open_fund(GENERAL)
    fed(house, line(fund=GENERAL))
    house.do("withdraw_pledge", pledge_stream(LIN, "r-1"), reason="moved away")
    house.do("close_fund", GENERAL, reason="done", on=TODAY)

    assert fed(house, line(fund=GENERAL)) == (0, 1, [])


# Bad lines.


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b"?", "line.malformed"),
        (line(amount=0), "amount.invalid"),
        (line(amount=-1), "amount.invalid"),
        (line(amount=AMOUNT_MAX + 1), "amount.invalid"),
        (line(amount=10**40), "amount.invalid"),
        (line(payment=payment(amount=0)), "amount.invalid"),
        (line(donor=new_id()), "donor.unknown"),
        (line(fund="F-NONE"), "fund.unknown"),
        (line(fund="x" * 60_000), "fund.unknown"),
        (line(fund="F-HEAR\x00"), "fund.unknown"),
        (line(pledged_on=TOMORROW), "date.invalid"),
        (line(payment=payment(received_on=TOMORROW)), "date.invalid"),
        (line(payment=payment(received_on=NO_BOOKS_YET)), "date.invalid"),
        (line(note="电话13900000000"), "line.malformed"),
        (line(note=" "), "line.malformed"),
        (line(instalments=[{"due_on": TODAY, "amount": 1}]), "line.malformed"),
        (line(instalments=[{"due_on": "2026-03-31", "amount": 100_00}]), "line.malformed"),
    ],
)
def test_a_bad_line_changes_nothing_and_spoils_no_other(house, bad, code):
    assert refused_alone(house, bad) == (2, code)


class NoteNeeded(Refused):
    """A promise of more than a million yuan says in a note how it came about."""


def test_a_rule_refuses_its_own_line_by_its_own_name(house, monkeypatch):
    pledge = Donation.pledge

    def by_a_new_rule(act, *, amount, note, **other):
        if amount > 1_000_000_00 and note is None:
            raise NoteNeeded("there is no note")
        return pledge(act, amount=amount, note=note, **other)

    monkeypatch.setattr(Donation, "pledge", by_a_new_rule)

    rejected = refused_alone(house, line(amount=1_000_000_01))

    assert rejected == (2, "note-needed")
    assert fed(house, line(amount=1_000_000_01, note="by telephone")) == (1, 0, [])


def test_a_rival_refuses_no_line(house, monkeypatch):
    def overtaken(*_, **__):
        raise Conflict("somebody was faster")

    monkeypatch.setattr(Donation, "pledge", overtaken)

    with pytest.raises(Conflict, match="somebody was faster"):
        fed(house, line())


def test_a_donation_is_no_donor(house):
    fed(house, line())

    assert refused_alone(house, line("r-2", donor=pledge_stream(LIN, "r-1")))[1] == "donor.unknown"


def test_what_the_chunk_before_recorded_counts_though_it_is_still_being_stored(house):
    feed = a_feed(house)

    with stored_late(house.ledger.committer):
        feed.take_in([line("r-1", payment=payment())])
        feed.take_in([line("r-1", payment=payment()), line("r-2", payment=payment()), line("r-3")])
        assert house.kinds().count("donation.pledged.1") == 1
        feed.flush()

    assert (feed.accepted, feed.duplicates) == (2, 1)
    assert [(each.line, each.code) for each in feed.rejected] == [(3, "payment.counted")]
    house.check_tallies()


def test_a_repeat_of_what_was_stored_meanwhile_is_one_though_its_payment_counts(house):
    feed = a_feed(house)

    with stored_once_looked_up(house.ledger):
        feed.take_in([line("r-1", payment=payment())])
        feed.take_in([line("r-1", payment=payment())])
        feed.flush()

    assert (feed.accepted, feed.duplicates, feed.rejected) == (1, 1, [])


def test_the_day_that_is_wrong_is_called_as_the_sender_called_it(house):
    feed = a_feed(house)
    feed.take_in([line(pledged_on=TOMORROW), line(payment=payment(received_on=TOMORROW))])
    feed.flush()

    assert [each.detail for each in feed.rejected] == [
        f"pledged_on: {TOMORROW} is in the future",
        f"received_on: {TOMORROW} is in the future",
    ]


def test_a_promise_may_be_older_than_the_books(house):
    assert fed(house, line(pledged_on=NO_BOOKS_YET)) == (1, 0, [])


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("restrict_donor", {"basis": "donor-request"}),
        ("erase_donor", {"basis": "consent-withdrawn", "donations": []}),
    ],
)
def test_nothing_is_promised_for_somebody_who_is_restricted_or_erased(house, step, said):
    other = DonorId(new_id())
    house.do("register_donor", other, anonymous=True)
    house.do(step, other, **said)

    assert refused_alone(house, line(donor=other)) == (2, "donor.processing-stopped")


class QuotaSpent(Refused):
    """No more is promised to a fund than its drive asks for."""


QUOTA = Tally(f"drive {HEAR}", "left")


@pytest.fixture(name="quota")
def _quota(monkeypatch):
    """A bound that no feed knows of: a drive for 250 yuan."""
    bound = Bound(-250_00, lambda breach: QuotaSpent(f"{breach.value} and {breach.change}"))
    monkeypatch.setattr(tallies, "_RULES", {Donation.Pledged: lambda it: [(QUOTA, -it.amount)]})
    with monkeypatch.context() as patched:
        patched.setattr(records, "BOUNDS", Bounds({("drive", "left"): bound}))
        yield


@pytest.mark.usefixtures("quota")
def test_a_line_that_breaks_a_bound_which_only_the_store_knows_is_refused_by_its_name(place):
    with charity(place) as house:
        house.open_fund()
        house.do("register_donor", MEI, anonymous=True)
        lines = [line(f"r-{n}", amount=amount) for n, amount in enumerate(AMOUNTS)]

        first = fed(house, *lines)
        again = fed(house, *lines)

        refused = [(4, "quota-spent"), (6, "quota-spent"), (7, "quota-spent")]
        assert first == (4, 0, refused)
        assert again == (0, 4, refused)
        assert house.tally(QUOTA) == -240_00
        assert house.kinds().count("donation.pledged.1") == len(AMOUNTS) - len(refused)
        house.check_tallies()


AMOUNTS = [100_00, 100_00, 10_00, 100_00, 30_00, 100_00, 20_00]


def test_nothing_is_promised_to_a_closed_fund(house):
    house.open_fund(GENERAL)
    house.do("close_fund", GENERAL, reason="done", on=TODAY)

    assert refused_alone(house, line(fund=GENERAL)) == (2, "fund.closed")


def test_a_payment_counts_once_whoever_names_it(house):
    house.pay_in(house.pledge(1), 1, "BK-1")
    counted = payment("BK-1", channel="bank")

    assert refused_alone(house, line(payment=counted)) == (2, "payment.counted")
    lines = [line("r-1", payment=payment()), line("r-2", payment=payment())]
    assert fed(house, *lines) == (1, 0, [(2, "payment.counted")])
    assert house.tally(of_payment("wechat", "WX-1")) == 1


def test_a_payment_of_a_refused_line_may_come_in_another(house):
    lines = [line("r-1", amount=0, payment=payment()), line("r-2", payment=payment())]

    assert fed(house, *lines) == (1, 0, [(1, "amount.invalid")])


def test_who_is_no_cashier_may_promise_and_no_more(house):
    paid = line("r-1", payment=payment())

    assert refused_alone(house, paid, receives=False) == (2, "role.forbidden")
    assert fed(house, paid) == (1, 0, [])
    assert fed(house, paid, receives=False) == (0, 0, [(1, "role.forbidden")])


def test_what_is_told_of_a_line_is_short_and_shows_what_it_is(house):
    feed = a_feed(house)
    feed.take_in([line(**{"\x1b[2J" + "x" * 1_000: 1})])
    feed.flush()

    (rejected,) = feed.rejected
    assert rejected.detail == "Object contains unknown field"
    assert len(rejected.detail) <= DETAIL_MAX


# Length.


def test_lines_are_counted_through_all_chunks_and_each_chunk_is_one_write(house):
    feed, writes = a_feed(house), []
    house.ledger.committer.on_stored = lambda: writes.append(len(house.facts()))
    before = len(house.facts())
    for start in range(0, 2_500, CHUNK_LINES):
        numbers = range(start, min(start + CHUNK_LINES, 2_500))
        feed.take_in([line(f"r-{each}") for each in numbers])
    feed.take_in([b"?"])
    feed.flush()

    assert (feed.accepted, feed.duplicates, feed.lines) == (2_500, 0, 2_501)
    assert feed.rejected[0].line == 2_501
    assert writes[:3] == [before + 1_000, before + 2_000, before + 2_500]


def test_no_more_lines_are_kept_than_are_named(house):
    feed = a_feed(house)
    for _ in range(NAMED_MAX // CHUNK_LINES + 2):
        feed.take_in([b"?"] * (CHUNK_LINES - 1) + [line()])
    feed.flush()

    assert feed.refused == 12 * (CHUNK_LINES - 1)
    assert (len(feed.rejected), len(feed.summary()["rejected"])) == (NAMED_MAX, NAMED_MAX)
    assert (feed.accepted, feed.duplicates, len(feed.repeats)) == (1, 11, 11)


# Rivals.


class Overtaken(PledgeFeed):
    """A feed that rivals overtake, one each time that it has been decided."""

    def __init__(self, *args, rivals, **by):
        super().__init__(*args, **by)
        self._rivals = iter(rivals)

    def _decide(self, lines):
        chunk = super()._decide(lines)
        next(self._rivals, lambda: None)()
        return chunk


def overtaken(house, *lines, rivals):
    feed = Overtaken(house.ledger, act(LIN), receives=True, rivals=rivals)
    feed.take_in(lines)
    feed.flush()
    return feed.accepted, feed.duplicates, [(each.line, each.code) for each in feed.rejected]


def test_two_feeds_of_one_line_record_it_once(house):
    rivals = [lambda: fed(house, line("r-1"))]

    assert overtaken(house, line("r-1"), line("r-2"), rivals=rivals) == (1, 1, [])
    assert house.kinds().count("donation.pledged.1") == 2
    house.check_tallies()


def test_of_two_feeds_with_one_payment_the_slower_is_told_that_it_counts(house):
    rivals = [lambda: fed(house, line("r-9", payment=payment()), who=SOMEONE)]

    slower = overtaken(house, line("r-1", payment=payment()), line("r-2"), rivals=rivals)

    assert slower == (1, 0, [(1, "payment.counted")])
    assert house.available() == 100_00


def test_nothing_is_promised_to_a_fund_that_was_just_closed(house):
    house.open_fund(GENERAL)
    rivals = [lambda: house.do("close_fund", GENERAL, reason="done", on=TODAY)]

    slower = overtaken(house, line("r-1", fund=GENERAL), line("r-2"), rivals=rivals)

    assert slower == (1, 0, [(1, "fund.closed")])


def test_a_feed_that_is_overtaken_again_and_again_is_told_so_and_records_nothing(house):
    others = [DonorId(new_id()) for _ in range(5)]
    for other in others:
        house.do("register_donor", other, anonymous=True)
    rivals = [partial(house.do, "restrict_donor", other, basis="donor-request") for other in others]

    with pytest.raises(Conflict, match="send them again"):
        overtaken(house, line("r-1"), rivals=rivals)
    house.pledge(1)  # Whatever was handed over before is stored by now.
    assert house.kinds().count("donation.pledged.1") == 1


def test_nothing_is_promised_for_somebody_who_was_just_restricted(house):
    other = DonorId(new_id())
    house.do("register_donor", other, anonymous=True)
    rivals = [lambda: house.do("restrict_donor", MEI, basis="donor-request")]

    slower = overtaken(house, line("r-1"), line("r-2", donor=other), rivals=rivals)

    assert slower == (1, 0, [(1, "donor.processing-stopped")])
    house.check_tallies()


def test_a_feed_that_is_overtaken_again_and_again_is_told_so(house):
    rivals = [lambda each=each: fed(house, line(f"r-{each}")) for each in range(5)]
    lines = [line(f"r-{each}") for each in range(6)]

    with pytest.raises(Conflict, match="send them again"):
        overtaken(house, *lines, rivals=rivals)
    assert house.kinds().count("donation.pledged.1") == 5


def test_a_feed_says_when_it_was_written_down_and_under_which_command(house):
    batch = act(LIN, date(2026, 5, 2))
    feed = PledgeFeed(house.ledger, batch, receives=True)
    feed.take_in([line(payment=payment())])
    feed.flush()

    assert {each.command for each in house.facts()[-2:]} == {batch.command}
    assert {each.recorded_at for each in house.facts()[-2:]} == {batch.at}
