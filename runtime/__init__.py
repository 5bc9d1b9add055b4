"""Processes, mailboxes, links and GenServers on Trio: one process and how it talks and ends.

Supervision trees are in the package ``supervisors``.
"""

from runtime.agent import Agent, AgentRef
from runtime.annotations import publish as _publish
from runtime.calls import Ref, named, ref, send
from runtime.child_spec import ChildSpec, ChildType, Restart, ShutdownBudget, child_spec
from runtime.errors import (
    AlreadyStarted,
    BadResult,
    CallCycle,
    CallError,
    CallExit,
    CallTimeout,
    Ignored,
    MailboxFull,
    NameTaken,
    NoNode,
    OutsideProcess,
    ProcessExit,
    ProcessNotFound,
    ReceiveTimeout,
    ReplyDropped,
    StartError,
    StartFailed,
    StartTimeout,
    TaskExit,
    TaskTimeout,
    UnhandledMessage,
)
from runtime.exits import Crashed, ExitReason, Killed, NoProcess, Normal, Shutdown
from runtime.gen_server import GenServer
from runtime.handle import Handle
from runtime.handlers import handles
from runtime.inspection.snapshot import crashes, snapshot
from runtime.inspection.tracing import trace, untrace
from runtime.inspection.views import AlarmView, CrashView, ProcessView, Snapshot, TraceEvent
from runtime.instruments import (
    BudgetExceeded,
    CallEnded,
    ChildEnded,
    ChildRefused,
    ChildStartFailed,
    CleanupFailed,
    DemandUneven,
    Event,
    EventsDiscarded,
    EventsInExcess,
    Instrument,
    LoopStalled,
    MailboxLong,
    MessageDropped,
    MessageOld,
    MessageUnexpected,
    PermitsGranted,
    ProcessCrashed,
    ProcessEnded,
    ProcessStarted,
    RestartsHigh,
    StillAlive,
)
from runtime.introspection import (
    ProcessInfo,
    ServerStatus,
    Statistics,
    get_state,
    get_status,
    process_info,
    processes,
    replace_state,
    resume,
    set_label,
    statistics,
    suspend,
)
from runtime.mailbox import MailboxLimit, MailboxPolicy
from runtime.messages import Call, Cast, Down, Exit, IdleTimeout, MonitorRef
from runtime.names import register, registered, unregister, whereis
from runtime.node import Node, open_node
from runtime.offload import to_process, to_thread
from runtime.outcomes import CastResult, Continue, Idle, Ignore, InitResult, NoReply, Reply, Stop
from runtime.pending_calls import ReplyTo, Request
from runtime.pid import Pid
from runtime.pubsub import PubSub
from runtime.receiving import receive
from runtime.registry import Registered, Registry, RegistryKeys, Unregistered
from runtime.registry_entries import Entry
from runtime.registry_ref import AlreadyRegistered, RegistryInfo, RegistryRef
from runtime.reports import configure_logging, log_reports
from runtime.retrying import Headers, Retryable, retry_after, retryable
from runtime.signals import (
    demonitor,
    exit,
    is_alive,
    kill,
    link,
    monitor,
    self_,
    trap_exits,
    unlink,
    wait_exit,
)
from runtime.spawning import spawn, spawn_link, spawn_monitor
from runtime.starts import start, start_link
from runtime.stream import Stream, async_stream, async_stream_nolink
from runtime.stream_options import StreamKeywords
from runtime.table import Table, TableInfo, TableTransfer
from runtime.table_life import AccessDenied, TableAccess, TableKind, TableNotFound
from runtime.task import Task, TaskDone
from runtime.task_body import callers
from runtime.task_groups import AfterTimeout, race, result_many, wait_many
from runtime.task_outcomes import Exited, Ok, OnTimeout, Outcome, TimedOut
from runtime.telemetry.node_counts import BehaviourCounts, CountNode
from runtime.telemetry.pipeline_events import (
    AcknowledgerFailed,
    BatchesMade,
    BatchHandled,
    CallbackFailed,
    ChunkHandled,
    FailuresHandled,
    MessageHandled,
    MessagesGivenBack,
    PipelineDrained,
    PipelineSpan,
    PipelineStarted,
)
from runtime.telemetry.subscribing import add_instrument, remove_instrument
from runtime.timers import TimerRef, cancel_timer, read_timer, send_after, send_at, send_interval
from runtime.via import Directory, Via, via
from runtime.watchdogs.limits import WatchdogLimits
from runtime.watchdogs.watchdog import Watchdog, current_alarms

__all__ = [
    "AccessDenied", "AcknowledgerFailed", "AfterTimeout", "Agent", "AgentRef", "AlarmView",
    "AlreadyRegistered", "AlreadyStarted", "BadResult", "BatchHandled", "BatchesMade",
    "BehaviourCounts", "BudgetExceeded", "Call", "CallCycle", "CallEnded", "CallError", "CallExit",
    "CallTimeout", "CallbackFailed", "Cast", "CastResult", "ChildEnded", "ChildRefused",
    "ChildSpec", "ChildStartFailed", "ChildType", "ChunkHandled", "CleanupFailed", "Continue",
    "CountNode", "CrashView", "Crashed", "DemandUneven", "Directory", "Down", "Entry", "Event",
    "EventsDiscarded", "EventsInExcess", "Exit", "ExitReason", "Exited", "FailuresHandled",
    "GenServer", "Handle", "Headers", "Idle", "IdleTimeout", "Ignore", "Ignored", "InitResult",
    "Instrument", "Killed", "LoopStalled", "MailboxFull", "MailboxLimit", "MailboxLong",
    "MailboxPolicy", "MessageDropped", "MessageHandled", "MessageOld", "MessageUnexpected",
    "MessagesGivenBack", "MonitorRef", "NameTaken", "NoNode", "NoProcess", "NoReply", "Node",
    "Normal", "Ok", "OnTimeout", "Outcome", "OutsideProcess", "PermitsGranted", "Pid",
    "PipelineDrained", "PipelineSpan", "PipelineStarted", "ProcessCrashed", "ProcessEnded",
    "ProcessExit", "ProcessInfo", "ProcessNotFound", "ProcessStarted", "ProcessView", "PubSub",
    "ReceiveTimeout", "Ref", "Registered", "Registry", "RegistryInfo", "RegistryKeys",
    "RegistryRef", "Reply", "ReplyDropped", "ReplyTo", "Request", "Restart", "RestartsHigh",
    "Retryable", "ServerStatus", "Shutdown", "ShutdownBudget", "Snapshot", "StartError",
    "StartFailed", "StartTimeout", "Statistics", "StillAlive", "Stop", "Stream", "StreamKeywords",
    "Table", "TableAccess", "TableInfo", "TableKind", "TableNotFound", "TableTransfer", "Task",
    "TaskDone", "TaskExit", "TaskTimeout", "TimedOut", "TimerRef", "TraceEvent", "UnhandledMessage",
    "Unregistered", "Via", "Watchdog", "WatchdogLimits", "add_instrument", "async_stream",
    "async_stream_nolink", "callers", "cancel_timer", "child_spec", "configure_logging", "crashes",
    "current_alarms", "demonitor", "exit", "get_state", "get_status", "handles", "is_alive", "kill",
    "link", "log_reports", "monitor", "named", "open_node", "process_info", "processes", "race",
    "read_timer", "receive", "ref", "register", "registered", "remove_instrument", "replace_state",
    "result_many", "resume", "retry_after", "retryable", "self_", "send", "send_after", "send_at",
    "send_interval", "set_label", "snapshot", "spawn", "spawn_link", "spawn_monitor", "start",
    "start_link", "statistics", "suspend", "to_process", "to_thread", "trace", "trap_exits",
    "unlink", "unregister", "untrace", "via", "wait_exit", "wait_many", "whereis",
]  # fmt: skip

_publish("runtime", {name: globals()[name] for name in __all__})
