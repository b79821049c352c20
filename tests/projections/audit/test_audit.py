"""An audit names what was done to a history, whoever did it and wherever."""

import pytest

from projections.audit import findings
from projections.audit.evidence import Claim
from projections.audit.examine import BATCH, examine
from tests.log_made import SIGNER, STRANGER, TRUST, Made, changed, signed, tree_of, years

SIZES = (1, 2, 255, 256, 257, 600, 1_100)


@pytest.fixture
def made():
    return Made(years(1_000))


def names(examined):
    return [each.name for each in examined.findings]


def found(evidence, *pinned):
    return examine(evidence, TRUST, pinned).findings


@pytest.mark.parametrize("size", SIZES)
def test_a_history_that_nobody_touched_is_found_right(size):
    rows = years(1_100)[:size]

    examined = examine(Made(rows), TRUST)

    assert examined.findings == []
    assert examined.events == examined.checkpoint.size == size
    assert examined.tiles == len(tree_of(rows))


def test_a_history_longer_than_a_batch_is_found_right():
    rows = years(BATCH + 700)

    examined = examine(Made(rows), TRUST)

    assert examined.findings == []
    assert examined.events == len(rows) > BATCH


def test_a_ledger_without_events_is_found_right():
    examined = examine(Made(()), TRUST)

    assert examined.findings == []
    assert examined.events == 0


def test_what_was_recorded_after_the_checkpoint_is_added_up_but_not_held_to_it():
    made = Made(years(1_000))
    made.signed, made.tree = signed(made.stored[:700]), tree_of(made.stored[:700])

    examined = examine(made, TRUST)

    assert examined.findings == []
    assert examined.events == 700


def test_an_event_that_was_edited_is_named(made):
    paid = made.first("donation.payment-received.1")
    made.edit(paid.position, b'"amount":', b'"amount":1')

    first = found(made)[0]

    assert isinstance(first, findings.EventDiffers)
    assert f"event {paid.position} " in str(first)


def test_an_event_that_was_back_dated_is_named(made):
    made.edit(500, b'"recorded_at":"2', b'"recorded_at":"1')

    assert "event 500 " in str(found(made)[0])


def test_the_first_of_several_edited_events_is_named(made):
    for position in (900, 300, 301):
        made.edit(position, b'"salt":"', b'"salt":"0')

    assert [str(each) for each in found(made)] == ["event 300 is not the one whose leaf was signed"]


def test_events_that_changed_places_are_named(made):
    one, other = made.stored[99], made.stored[199]
    made.stored[99] = other._replace(position=one.position)
    made.stored[199] = one._replace(position=other.position)

    assert "event 100 " in str(found(made)[0])


def test_an_event_that_is_gone_is_missed(made):
    del made.stored[41]

    assert names(examine(made, TRUST)) == ["event-missing"]
    assert "event 42 " in str(found(made)[0])


def test_a_tail_that_was_cut_off_is_missed(made):
    del made.stored[980:]

    assert "event 981 " in str(found(made)[0])


def test_an_event_that_was_slipped_in_is_out_of_place(made):
    made.stored.insert(10, made.stored[9]._replace(state=b"{}"))

    assert names(examine(made, TRUST)) == ["event-out-of-place"]


def test_an_event_that_was_put_in_the_place_of_a_deleted_one_is_named(made):
    made.stored[10] = made.stored[10]._replace(stream=made.stored[9].stream)

    assert "event 11 " in str(found(made)[0])


def test_a_tile_that_was_edited_is_named(made):
    for tile in made.tree:
        kept = made.tree[tile]
        made.tree[tile] = kept[:-1] + bytes([kept[-1] ^ 1])

        assert [str(each) for each in found(made)] == [f"{tile.path} was changed"]
        made.tree[tile] = kept


def test_a_tile_that_is_gone_is_missed(made):
    tile = next(iter(made.tree))
    del made.tree[tile]

    assert [str(each) for each in found(made)] == [f"{tile.path} is missing"]


def test_events_and_all_tiles_made_anew_without_the_key_are_not_what_was_signed(made):
    made.edit(500, b'"salt":"', b'"salt":"0')
    made.tree = tree_of(made.stored)

    assert names(examine(made, TRUST)) == ["history-rewritten"]


def test_a_checkpoint_by_another_key_is_refused(made):
    made.signed = signed(made.stored, STRANGER)

    assert names(examine(made, TRUST)) == ["checkpoint-refused"]


def test_a_checkpoint_that_is_none_is_refused(made):
    made.signed = b"hello\n"

    assert names(examine(made, TRUST)) == ["checkpoint-refused"]


def test_every_earlier_checkpoint_is_held_to_the_history(made):
    made.published = {str(size): signed(made.stored[:size]) for size in range(1, 1_000, 37)}

    examined = examine(made, TRUST)

    assert examined.findings == []
    assert examined.earlier == len(made.published)


def test_a_fork_is_found_by_whoever_kept_a_checkpoint_of_the_other_side(made):
    theirs = Made(made.stored)
    theirs.edit(700, b'"salt":"', b'"salt":"0')
    pin = signed(theirs.stored)

    assert found(made, ("mine", pin))[0].name == "history-forked"
    assert found(made) == []


def test_a_history_cut_to_an_old_checkpoint_is_found_with_a_pin_and_not_without(made):
    pin = made.signed
    cut = Made(made.stored[:600])

    assert [str(each) for each in found(cut, ("mine", pin))] == [
        f"there are 600 events, and mine is of {len(made.stored)}"
    ]
    assert found(cut) == []


def test_an_old_checkpoint_beside_the_whole_history_is_found_with_a_pin(made):
    pin = made.signed
    made.signed, made.tree = signed(made.stored[:600]), tree_of(made.stored[:600])

    assert found(made, ("mine", pin))[0].name == "history-shortened"


def test_a_pin_is_held_to_the_history_although_an_event_was_edited(made):
    made.edit(5, b'"salt":"', b'"salt":"0')
    more = signed(years(1_100)[: len(made.stored) + 1])

    assert {each.name for each in found(made, ("mine", more))} == {
        "event-differs",
        "history-shortened",
    }


def test_a_pin_of_another_log_is_refused(made):
    assert found(made, ("mine", signed(made.stored, STRANGER)))[0].name == "pin-refused"


def test_checkpoints_by_keys_that_are_not_trusted_say_nothing_and_are_counted(made):
    made.published = {"1": signed(made.stored[:1], STRANGER)}

    examined = examine(made, TRUST)

    assert examined.findings == []
    assert examined.unknown == 1


def test_a_figure_that_is_not_what_the_events_come_to_is_named(made):
    for number, claim in enumerate(list(made.claimed)):
        words = next(iter(claim.figures))
        made.claimed[number] = changed(claim, words, by=1)

        (finding,) = found(made)
        assert finding.name == "figure-differs"
        assert " ".join(words) in str(finding)
        made.claimed[number] = claim


def test_a_figure_that_is_left_out_is_missed(made):
    funds, accounts = made.claimed
    words = next(words for words in funds.figures if words[1] == "received")
    shown = {name: value for name, value in funds.figures.items() if name != words}
    made.claimed = [Claim("funds", funds.position, shown), accounts]

    assert names(examine(made, TRUST)) == ["figure-differs"]


def test_figures_as_good_as_an_event_that_is_not_there_are_found(made):
    made.claimed = [claim._replace(position=claim.position + 1) for claim in made.claimed]

    assert names(examine(made, TRUST)) == ["event-missing"]


def test_a_new_checkpoint_over_a_rewritten_history_is_found_by_an_old_one(made):
    """Whoever has the key can sign anything; what was published before convicts them."""
    made.published = {"300": signed(made.stored[:300])}
    made.edit(200, b'"salt":"', b'"salt":"0')
    made.tree, made.signed = tree_of(made.stored), signed(made.stored, SIGNER)

    assert names(examine(made, TRUST)) == ["history-forked"]


def test_with_the_key_stolen_and_nothing_kept_anywhere_a_rewritten_history_passes(made):
    """The limit, said plainly: docs/TRUST.md."""
    made.edit(200, b'"salt":"', b'"salt":"0')
    made.tree, made.signed = tree_of(made.stored), signed(made.stored, SIGNER)

    assert found(made) == []


def test_an_event_that_nothing_reads_is_named(made):
    made.stored[9] = made.stored[9]._replace(topic="donation.unheard-of.1")

    assert "event-unreadable" in names(examine(made, TRUST))


def test_what_comes_batches_after_an_event_that_nothing_reads_is_not_added_up():
    made = Made(years(BATCH + 700))
    made.stored[9] = made.stored[9]._replace(topic="donation.unheard-of.1")

    examined = examine(made, TRUST)

    assert names(examined).count("event-unreadable") == 1
    assert not [each for each in examined.findings if isinstance(each, findings.FigureDiffers)]
    assert examined.events == len(made.stored)
