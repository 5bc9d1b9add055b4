"""What a pool and its clients say to each other, as values."""

from __future__ import annotations

from runtime import Node, Ref, ref
from supervisors.pool_requests import PoolFull, PoolStatus
from tests.supervisors.pool_parts import Fleet, start_pool


def test_a_full_pool_says_how_full() -> None:
    error = PoolFull(6, 3)
    assert (error.limit, error.waiting) == (6, 3)
    assert str(error) == "no worker is free, 6 is as many as there may be, and 3 callers wait"


def test_a_status_shows_its_fields() -> None:
    assert str(PoolStatus("ready", 1, 0, 2, 0)) == (
        "PoolStatus(state='ready', idle=1, overflow=0, checked_out=2, waiting=0)"
    )


async def test_a_worker_is_a_ref_to_one_incarnation(node: Node) -> None:
    pool = await start_pool(Fleet(), size=1)
    async with pool.checkout() as worker:
        assert isinstance(worker, Ref)
        assert worker.incarnation is worker.pid
        assert repr(worker) == f"PoolWorker({ref(worker.pid)!r})"
        first = worker
    async with pool.checkout() as worker:
        assert worker == first, "the same worker, lent twice"
        assert worker is not first
