"""Refused attempts that an auditor asks about are counted, and cannot be used to flood anything."""

from contextlib import closing
from datetime import date

import pytest

from ledger.people.copying import copy_people, digest_people
from ledger.people.refusals import ROWS_A_DAY, WAITING_MAX, Refusal, Refusals

FIRST_DAY, NEXT_DAY = date(2026, 4, 1), date(2026, 4, 2)
APPROVE = "POST /v1/disbursements/{disbursement_id}/approvals"


def refusal(about="", *, day=FIRST_DAY, kind="same-person", person="wang", route=APPROVE):
    return Refusal(day, kind, "own-request", person, route, about)


@pytest.fixture(name="kept")
def _kept(place):
    with closing(Refusals(place)) as kept:
        yield kept


def figures(rows):
    return [(row["about"], row["times"]) for row in rows]


# Counting.


def test_the_same_attempt_again_is_counted_in_its_row(kept):
    for about in ("a", "b", "a"):
        kept.note(refusal(about))
    assert sorted(figures(kept.rows())) == [("a", 2), ("b", 1)]

    kept.note(refusal("a"))
    assert sorted(figures(kept.rows())) == [("a", 3), ("b", 1)]


def test_what_was_counted_is_there_after_a_restart(place):
    with closing(Refusals(place)) as kept:
        kept.note(refusal("a"))
    with closing(Refusals(place)) as kept:
        kept.note(refusal("a"))

        assert figures(kept.rows()) == [("a", 2)]


def test_it_is_written_by_itself_without_anybody_asking(place):
    with closing(Refusals(place, every_s=0)) as writing, closing(Refusals(place)) as reading:
        writing.note(refusal("a"))
        found = next(rows for _ in range(100_000) if (rows := reading.rows()))

        assert figures(found) == [("a", 1)]


def test_two_servers_count_into_the_same_rows(place):
    with closing(Refusals(place)) as one, closing(Refusals(place)) as other:
        for kept in (one, other, one):
            kept.note(refusal("a"))
        one.write()

        assert figures(other.rows()) == [("a", 3)]


def test_rows_are_found_by_kind_person_and_day(kept):
    kept.note(refusal("a"))
    kept.note(refusal("b", kind="role-forbidden"))
    kept.note(refusal("c", person="zhao"))
    kept.note(refusal("d", day=NEXT_DAY))

    assert figures(kept.rows(kind="role-forbidden")) == [("b", 1)]
    assert figures(kept.rows(person="zhao")) == [("c", 1)]
    assert figures(kept.rows(first=NEXT_DAY)) == [("d", 1)]
    assert len(kept.rows(last=FIRST_DAY)) == 3


def test_they_are_counted_by_kind_rule_person_and_day(kept):
    for about in ("a", "a", "b"):
        kept.note(refusal(about))
    kept.note(refusal("d", day=NEXT_DAY, kind="role-forbidden", person="zhao"))

    assert kept.counts("kind") == {"role-forbidden": 1, "same-person": 3}
    assert kept.counts("person") == {"wang": 3, "zhao": 1}
    assert kept.counts("day") == {"2026-04-01": 3, "2026-04-02": 1}
    assert kept.counts("rule", person="wang") == {"own-request": 3}


def test_a_copy_takes_them_along_and_counts_on(place, tmp_path):
    with closing(Refusals(tmp_path / "people.db")) as kept:
        for about in "ab":
            kept.note(refusal(about))
    copied = copy_people(tmp_path / "people.db", place)
    assert copied == digest_people(place)

    with closing(Refusals(place)) as kept:
        for about in "bc":
            kept.note(refusal(about))
        assert figures(kept.rows()) == [("a", 1), ("b", 2), ("c", 1)]


# Bounds.


def test_a_person_has_only_so_many_rows_a_day_and_is_still_counted_to_the_last(kept):
    for number in range(ROWS_A_DAY + 50):
        kept.note(refusal(f"thing {number}"))
    kept.write()
    for number in range(ROWS_A_DAY + 50):
        kept.note(refusal(f"other {number}"))

    rows = kept.rows(limit=10_000)
    assert len(rows) == ROWS_A_DAY + 1
    assert [row["times"] for row in rows if not row["route"]] == [ROWS_A_DAY + 100]
    assert kept.counts("kind") == {"same-person": 2 * ROWS_A_DAY + 100}


def test_one_persons_many_attempts_take_no_room_from_anothers(kept):
    for number in range(ROWS_A_DAY + 1):
        kept.note(refusal(f"thing {number}"))
    kept.note(refusal("a", person="zhao"))
    kept.note(refusal("a", day=NEXT_DAY))

    assert figures(kept.rows(person="zhao")) == [("a", 1)]
    assert figures(kept.rows(first=NEXT_DAY)) == [("a", 1)]


def test_what_waits_to_be_written_takes_bounded_memory(place):
    with closing(Refusals(place, every_s=60)) as kept:
        for number in range(3 * WAITING_MAX):
            kept.note(refusal(f"thing {number}"))

        assert kept.waiting <= WAITING_MAX + 1
        assert kept.counts("person") == {"wang": 3 * WAITING_MAX}
