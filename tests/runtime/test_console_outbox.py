"""``console.outbox``: frames in order, output bounded."""

from __future__ import annotations

import threading

from runtime.console.frames import Done, Goodbye, Output
from runtime.console.outbox import Outbox


def test_frames_come_out_in_order_and_output_that_follows_as_one() -> None:
    outbox = Outbox()
    outbox.put_output(1, "a")
    outbox.put_output(1, "b")
    outbox.put_output(2, "c")
    outbox.put(Done(1, None))
    outbox.put_output(2, "d")
    outbox.close()
    taken = [outbox.take() for _ in range(5)]
    assert taken == [Output(1, "ab"), Output(2, "c"), Done(1, None), Output(2, "d"), None]


def test_what_comes_after_the_end_is_lost() -> None:
    outbox = Outbox()
    outbox.close()
    outbox.put(Goodbye("x"))
    outbox.put_output(1, "x")
    assert outbox.take() is None


def test_output_that_nobody_reads_is_left_out_and_counted() -> None:
    outbox = Outbox(limit=256 + 5)  # with what a piece costs
    outbox.put_output(1, "abc")
    outbox.put_output(1, "defg")
    outbox.put_output(1, "hi")
    outbox.put(Done(1, None))
    assert outbox.take() == Output(1, "abcde\n... 4 characters left out\n")
    assert outbox.take() == Done(1, None)
    outbox.put_output(2, "later")
    assert outbox.take() == Output(2, "later")


def test_text_that_utf8_cannot_say_is_escaped() -> None:
    outbox = Outbox()
    outbox.put_output(1, "a\ud800ü")
    assert outbox.take() == Output(1, "a\\ud800ü")


def test_who_takes_waits_for_a_frame() -> None:
    outbox, taken = Outbox(), list[object]()

    def take() -> None:
        taken.append(outbox.take())
        taken.append(outbox.take())

    thread = threading.Thread(target=take)
    thread.start()
    outbox.put(Goodbye("x"))
    outbox.close()
    thread.join()
    assert taken == [Goodbye("x"), None]
