"""Supervision trees: supervisors, ``open_supervisor`` for any Trio program, ``run`` for a service.

What runs in a tree, and how it talks, is in the package ``runtime``.
"""

import runtime

if not hasattr(runtime, "GenServer"):
    raise ImportError(
        "supervisors needs the package 'runtime' of trio-otp, but another package of that name "
        f"comes first on the path: {getattr(runtime, '__file__', None) or runtime.__path__}"
    )

from runtime.annotations import publish as _publish
from supervisors.backoff import Backoff
from supervisors.children import ChildCounts, ChildInfo, ChildSource, ChildStatus
from supervisors.consumer_supervisor import ConsumerSupervisor
from supervisors.consumer_supervisor_ref import ConsumerSupervisorRef
from supervisors.dynamic_supervisor import DynamicSupervisor
from supervisors.dynamic_supervisor_ref import DynamicSupervisorRef
from supervisors.errors import (
    AlreadyPresent,
    ChildError,
    ChildNotFound,
    ChildRestarting,
    ChildRunning,
    FailedToStartChild,
    GaveUp,
    MaxChildren,
    SupervisorGaveUp,
)
from supervisors.intensity import Intensity
from supervisors.keyed_rate_limiter import KeyedRateLimiter, KeyedRateLimiterRef
from supervisors.limiter_requests import LimiterFull, LimiterStats, MaxKeys, Permit
from supervisors.open_supervisor import open_supervisor
from supervisors.partition_supervisor import (
    PartitionSupervisor,
    PartitionSupervisorRef,
    WithArguments,
)
from supervisors.pool import Pool
from supervisors.pool_ref import PoolRef
from supervisors.pool_requests import HolderDeath, PoolFull, PoolStatus, PoolWorker
from supervisors.pool_slots import PoolState, PoolStrategy
from supervisors.rate_limiter import RateLimiter
from supervisors.rate_limiter_ref import RateLimiterRef
from supervisors.run import run
from supervisors.strategies import AutoShutdown, Strategy
from supervisors.supervisor import Supervisor
from supervisors.supervisor_ref import SupervisorRef
from supervisors.task_supervisor import TaskSupervisor
from supervisors.task_supervisor_ref import TaskSupervisorRef

__all__ = [
    "AlreadyPresent", "AutoShutdown", "Backoff", "ChildCounts", "ChildError", "ChildInfo",
    "ChildNotFound", "ChildRestarting", "ChildRunning", "ChildSource", "ChildStatus",
    "ConsumerSupervisor", "ConsumerSupervisorRef",
    "DynamicSupervisor", "DynamicSupervisorRef", "FailedToStartChild", "GaveUp", "HolderDeath",
    "Intensity", "KeyedRateLimiter", "KeyedRateLimiterRef", "LimiterFull", "LimiterStats",
    "MaxChildren", "MaxKeys", "PartitionSupervisor", "PartitionSupervisorRef", "Permit", "Pool",
    "PoolFull", "PoolRef", "PoolState", "PoolStatus", "PoolStrategy", "PoolWorker",
    "RateLimiter", "RateLimiterRef", "Strategy", "Supervisor", "SupervisorGaveUp",
    "SupervisorRef", "TaskSupervisor", "TaskSupervisorRef", "WithArguments", "open_supervisor",
    "run",
]  # fmt: skip

_publish("supervisors", {name: globals()[name] for name in __all__})
