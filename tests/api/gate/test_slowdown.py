"""Whoever guesses passwords waits longer and longer; whoever mistypes once does not."""

import pytest

from api.gate.refusals import TooOften
from api.gate.slowdown import FORGOTTEN_S, FREE, KEPT_MAX, WAIT_MAX_S, Slowdown


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def failing(slowdown, times, who="lin"):
    for _ in range(times):
        slowdown.failed(who)


def waits(slowdown, who="lin"):
    with pytest.raises(TooOften) as refused:
        slowdown.check(who)
    return refused.value.retry_after


def test_a_few_mistakes_are_free(clock):
    slowdown = Slowdown(clock=clock)
    failing(slowdown, FREE - 1)

    slowdown.check("lin")


def test_then_each_doubles_the_wait_up_to_a_bound(clock):
    slowdown, seen = Slowdown(clock=clock), []
    failing(slowdown, FREE)
    for _ in range(12):
        seen.append(waits(slowdown))
        slowdown.failed("lin")

    assert seen[:4] == [2, 3, 5, 9]
    assert max(seen) == WAIT_MAX_S + 1


def test_after_the_wait_one_may_try_again(clock):
    slowdown = Slowdown(clock=clock)
    failing(slowdown, FREE + 3)
    clock.now = 7.9
    waits(slowdown)
    clock.now = 8.0

    slowdown.check("lin")


def test_nobody_waits_for_the_mistakes_of_others(clock):
    slowdown = Slowdown(clock=clock)
    failing(slowdown, 20, "eve")

    slowdown.check("lin")


def test_coming_in_and_time_make_it_forgotten(clock):
    slowdown = Slowdown(clock=clock)
    failing(slowdown, 20)
    slowdown.succeeded("lin")
    slowdown.check("lin")
    failing(slowdown, 20)
    clock.now = FORGOTTEN_S + 1

    slowdown.check("lin")


def test_what_is_kept_is_bounded(clock):
    slowdown = Slowdown(clock=clock)
    failing(slowdown, 20, "first")
    for number in range(KEPT_MAX):
        slowdown.failed(number)

    slowdown.check("first")
    assert waits_not(slowdown, KEPT_MAX - 1)


def waits_not(slowdown, who):
    slowdown.check(who)
    return True
