"""The ticket that ties a start to whoever asked for it."""

from __future__ import annotations

from runtime import Killed, Node, is_alive, wait_exit
from runtime.current import find_process
from supervisors.requests import Ticket
from tests.supervisors.tree_parts import pid_of, start_supervisor, worker


def test_a_new_ticket_is_good() -> None:
    ticket = Ticket()
    assert not ticket.cancelled
    assert ticket.process is None


def test_one_cancelled_before_the_start_only_says_so() -> None:
    ticket = Ticket()
    ticket.cancel()
    ticket.cancel()
    assert ticket.cancelled


async def test_one_cancelled_later_ends_what_was_started_for_it(node: Node) -> None:
    sup = await start_supervisor([worker([], "a").replace(restart="temporary")])
    pid = await pid_of(sup, "a")
    ticket = Ticket()
    ticket.process = find_process(pid)
    ticket.cancel()
    assert await wait_exit(pid) == Killed()
    ticket.cancel()
    assert is_alive(sup)
