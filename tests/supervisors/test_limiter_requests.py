"""What travels between a limiter and those who want its permits."""

from __future__ import annotations

from runtime import Node
from supervisors.limiter_requests import LimiterFull, LimiterStats, MaxKeys, Permit
from tests.supervisors.limiter_parts import start_limiter
from tests.support import in_process


async def test_a_permit_shows_where_it_is_from(node: Node) -> None:
    limiter = await start_limiter(1)
    permit = await limiter.acquire()
    assert repr(permit) == f"<Permit 1 of {limiter.pid!r}>"
    assert permit.holder is None

    async def client() -> Permit:
        return await limiter.acquire()

    limiter.release(permit)
    assert (await in_process(client)).holder is not None


async def test_permits_are_numbered_as_they_are_given_and_equal_only_to_themselves(
    node: Node,
) -> None:
    limiter = await start_limiter(3)
    permits = [await limiter.acquire() for _ in range(3)]
    assert [permit.number for permit in permits] == [1, 2, 3]
    assert len(set(permits)) == 3


def test_the_errors_say_what_stood_in_the_way() -> None:
    full = LimiterFull(None, 7)
    assert (full.limit, full.queued) == (None, 7)
    assert str(full) == "7 are waiting for a permit, and max_queue allows no more"
    assert str(MaxKeys(2)) == "2 keys have a limiter, as many as max_keys allows"
    assert MaxKeys(2).limit == 2


async def test_numbers_of_one_moment_stay_as_they_were(node: Node) -> None:
    limiter = await start_limiter(1)
    before = await limiter.stats()
    await limiter.acquire()
    assert isinstance(before, LimiterStats)
    assert (before.in_use, (await limiter.stats()).in_use) == (0, 1)
