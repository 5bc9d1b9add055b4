"""The map of the house: which files of the packages stand on which floor."""

from __future__ import annotations

# Bottom to top. A file imports only from lower floors, so two of one floor never import each other.
FLOORS: dict[str, list[str]] = {
    "runtime": [
        (
            "_trio annotations console.breaking console.completion console.places containment "
            "deadlines exits inspection.views pid plain_functions stack_room "
            "stages.pending_demand telemetry.node_counts tracebacks user_code watchdogs.pulse"
        ),
        "telemetry.pipeline_events",
        (
            "bodies console.frames errors inspection.crash_history inspection.plain instruments "
            "keys messages outcomes stages.subscription_options timeouts turn"
        ),
        (
            "console.outbox console.texts console.wire crash_reasons inlet links mailbox "
            "process_table registry_entries reply_types reports stages.steps table_rows "
            "watchdogs.limits"
        ),
        "console.connections process retrying telemetry.opentelemetry watchdogs.alarms",
        "callback_results current cycles entered life_scope telemetry.counting",
        (
            "console.outputs inline_starts inspection.cpu life names pending_calls receiving "
            "spawning stages.emitted stages.subscription table_life telemetry.subscribing "
            "telemetry.told_calls timers waiting"
        ),
        (
            "callbacks child_spec console.evaluation handlers inline_calls inspection.sampling "
            "signals stages.dispatcher stages.peers stages.refusals stops system_messages table"
        ),
        (
            "calls inspection.snapshot node offload server_loop stages.broadcast_dispatcher "
            "stages.demand_dispatcher stages.event_buffer stages.partition_dispatcher task_body "
            "task_outcomes watchdogs.stacks"
        ),
        "console.finding handle introspection server_body stages.outlet starts watchdogs.stall",
        "console.acts console.familiar gen_server inspection.tracing task via",
        (
            "agent console.questions registry stages.stage stream_options stream_source "
            "task_groups watchdogs.watchdog"
        ),
        "console.session console.vocabulary registry_ref stages.requests stream_run",
        (
            "console.console pubsub stages.asking stages.consuming stages.producing stream "
            "testing.deaths testing.nodes testing.patterns testing.virtual_time"
        ),
        (
            "stages.consumer stages.producer stages.producer_consumer stages.wanted "
            "testing.captured_reports testing.chaos testing.ending testing.leaks "
            "testing.own_process testing.receiving testing.scripted testing.starting"
        ),
        "stages.channel_sink stages.events_of stages.iterable_source",
    ],
    "supervisors": [
        (
            "backoff children errors event_budgets intensity interpreter permits "
            "pipeline.guarded pipeline.holding pipeline.sources.finding_files "
            "pipeline.sources.queue_values pipeline.sources.ranges pipeline.sources.sqlite_file "
            "pipeline.sources.wakeups pipeline.spans pool_slots strategies"
        ),
        (
            "limiter_requests pipeline.message pipeline.sources.checkpoint_statements "
            "pipeline.sources.file_commits pipeline.sources.queue_statements pool_requests "
            "requests restarts shutdown"
        ),
        (
            "children_ref dynamic_children family pipeline.acknowledger pipeline.checking "
            "pipeline.custody pipeline.declaration pipeline.sources.line_reader "
            "pipeline.sources.queue_store pool_ref pool_workers rate_limiter rate_limiter_ref "
            "supervising supervisor_ref"
        ),
        (
            "dynamic_supervisor dynamic_supervisor_ref pipeline.batches pipeline.rate_window "
            "pipeline.routing pipeline.sources.sqlite_queue_ref pool supervisor"
        ),
        (
            "by_hand consumer_supervisor_ref event_children keyed_rate_limiter "
            "partition_supervisor pipeline.callbacks pipeline.line task_supervisor "
            "task_supervisor_ref"
        ),
        "consumer_supervisor operations pipeline.custodian pipeline.source_outlet pipeline.work",
        "open_supervisor pipeline.source pipeline.stage",
        (
            "fixtures pipeline.ack_immediately pipeline.batch_processor pipeline.batcher "
            "pipeline.processor pipeline.sources.fetching pipeline.trials run"
        ),
        (
            "command.arguments command.multiline command.narrow command.problems "
            "command.wording pipeline.sources.resumable pipeline.sources.sqlite_queue pipeline.tree"
        ),
        (
            "command.client command.keyboard command.process_words command.top_keys "
            "pipeline.pipeline pipeline.pipeline_ref pipeline.sources.directory "
            "pipeline.sources.file_lines"
        ),
        "command.info_screen command.prompt command.services command.tree_screen",
        "command.answers command.repl command.top_screen",
        "command.top",
        "command.terminal",
        "command.main",
        "command.__main__",
    ],
}
