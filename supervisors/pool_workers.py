"""One worker of a pool: its row, what it may be started from, and the watch on its process."""

from __future__ import annotations

from runtime import ChildSpec, ExitReason, GenServer, MonitorRef, Pid
from runtime.process import Process
from supervisors.children import Child, to_spec
from supervisors.pool_requests import Lease, WorkerUp
from supervisors.requests import ChildDown


class PoolChild(Child):
    """A row: one slot of the pool, and to whom its worker is lent."""

    __slots__ = ("lease", "monitor")

    def __init__(self, spec: ChildSpec) -> None:
        super().__init__(spec)
        self.lease: Lease | None = None
        self.monitor: MonitorRef | None = None  # on the process that holds it


class Life:
    """Follows one process of a worker. No link: nobody can forge it or take it away."""

    only_end = False

    def __init__(self, pool: Process, worker: PoolChild, pid: Pid) -> None:
        self._pool = pool
        self._worker = worker
        self._pid = pid

    @property
    def restarts(self) -> int:
        """Of the worker."""
        return self._worker.restarts

    def wake(self, reason: ExitReason) -> None:
        """The process is up (``None``), or has ended."""
        if reason is None:
            self._pool.post_system(WorkerUp(self._worker))
        else:
            self._pool.post_system(ChildDown(self._worker, self._pid, reason))


def is_usable(worker: PoolChild) -> bool:
    """Whether it has not ended, is not about to, and was not told to."""
    process = worker.process
    return (
        process is not None
        and process.status != "ended"
        and process.exiting is None
        and not process.ending
    )


def worker_spec(worker: object) -> ChildSpec:
    """The spec of a pool's workers; refused is what cannot hold for several of them."""
    if isinstance(worker, type):
        fits = issubclass(worker, GenServer)
    else:
        fits = isinstance(worker, ChildSpec) or callable(worker)
    if not fits:
        raise TypeError(
            f"worker: got {worker!r}, allowed are a ChildSpec such as "
            "Connection.child_spec('db'), a GenServer class and an async function"
        )
    spec = to_spec(worker)
    if spec.name is not None:
        raise ValueError(f"name of worker: got {spec.name!r}, allowed is None: there are several")
    if spec.restart != "permanent":
        raise ValueError(
            f"restart of worker: got {spec.restart!r}, allowed is 'permanent': "
            "a pool keeps its size"
        )
    if spec.enabled is not True:
        raise ValueError(
            f"enabled of worker: got {spec.enabled!r}, allowed is True: "
            "it is the pool that is enabled or not"
        )
    return spec
