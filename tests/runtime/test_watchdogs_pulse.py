"""The sign of life of a loop, asked for from anywhere."""

from __future__ import annotations

import time

import pytest
import trio
import trio.testing

from runtime.watchdogs import pulse as module
from runtime.watchdogs.pulse import Pulse


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 100.0

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    hand = Hand()
    monkeypatch.setattr(module, "time", hand)
    return hand


async def test_an_answer_is_owed_from_the_question_until_the_loop_turns(hand: Hand) -> None:
    pulse = Pulse(trio.lowlevel.current_trio_token())
    assert (pulse.asked_at, pulse.late()) == (None, 0.0)
    pulse.ask()
    hand.at += 2
    pulse.ask()  # it is owed already
    assert (pulse.asked_at, pulse.late()) == (100.0, 2.0)
    await trio.testing.wait_all_tasks_blocked()
    assert (pulse.asked_at, pulse.late()) == (None, 0.0)


async def test_it_can_be_asked_again(hand: Hand) -> None:
    pulse = Pulse(trio.lowlevel.current_trio_token())
    for turn in (1, 2, 3):
        hand.at += 1
        pulse.ask()
        assert pulse.asked_at == 100.0 + turn
        await trio.testing.wait_all_tasks_blocked()
        assert pulse.asked_at is None


def test_a_loop_that_has_ended_answers_nothing_and_asking_it_is_no_error() -> None:
    async def main() -> Pulse:
        return Pulse(trio.lowlevel.current_trio_token())

    pulse = trio.run(main)
    before = time.monotonic()
    pulse.ask()
    assert pulse.asked_at is not None
    assert pulse.asked_at >= before
