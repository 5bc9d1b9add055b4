"""Pipeline: callbacks and the spec that runs them. Elixir: ``Broadway``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from runtime import ChildSpec
from runtime.containment import short_repr
from supervisors.pipeline.callbacks import Callbacks, are_callbacks, has
from supervisors.pipeline.declaration import (
    DEFAULT_GROUP,
    Batcher,
    Declaration,
    Group,
    Processors,
    Producers,
    declare,
)
from supervisors.pipeline.tree import pipeline_spec

T = TypeVar("T")


class Pipeline(Callbacks[T]):
    """Subclass it: messages from sources, handled, batched and acknowledged.

    What is to be done with a message of ``T`` is in the callbacks; how many stages do it, and how
    batches are made, is said in ``child_spec``, which makes a supervisor's child of an instance.
    """

    def child_spec(
        self,
        *,
        name: str,
        producers: Producers,
        processors: Processors | None = None,
        batchers: Mapping[str, Batcher] | None = None,
        groups: Mapping[str, Group] | None = None,
        drain_timeout: float = 30.0,
        resubscribe_interval: float = 0.1,
        max_restarts: int = 3,
        max_seconds: float = 5.0,
        ends: bool = False,
    ) -> ChildSpec:
        """The spec of the pipeline, checked now; errors name the key, ``batchers.sql.size`` say.

        - ``groups``: instead of ``processors`` and ``batchers``, if several groups are to get every
          message, each with callbacks of its own; then those of ``self`` are not used.
        - ``drain_timeout``: how many seconds its stages may take to finish when it is stopped.
        - ``resubscribe_interval``: how often a stage looks for one before it that is away.
        - ``max_restarts`` in ``max_seconds``: of its layers, as for a ``Supervisor``.

        - ``ends``: whether it ends ``Normal`` once all its sources have ended and what they gave is
          done with; then ``restart="transient"`` is probably what it wants. Otherwise it stays,
          with its statistics, until it is stopped: see ``PipelineRef.wait_done``.

        Elixir: ``Broadway.start_link/2``.
        """
        if groups is None:
            groups = {DEFAULT_GROUP: Group(self, processors or Processors(), batchers or {})}
        elif processors is not None or batchers is not None:
            raise TypeError(
                "groups: given beside processors or batchers, allowed is one or the other; "
                "those of a group are in Group(callbacks, processors, batchers)"
            )
        declaration = declare(
            name,
            producers,
            groups,
            drain_timeout=drain_timeout,
            resubscribe_interval=resubscribe_interval,
            max_restarts=max_restarts,
            max_seconds=max_seconds,
        )
        _check_callbacks(declaration)
        return pipeline_spec(declaration, ends=ends)


def _check_callbacks(declaration: Declaration) -> None:
    for name, group in declaration.groups.items():
        given, path = group.callbacks, f"groups.{name}.callbacks"
        if not are_callbacks(given):
            raise TypeError(
                f"{path}: got {short_repr(given)}, allowed is an instance of a Pipeline"
            )
        if not has(given, "handle_message"):
            raise TypeError(f"{path}: {type(given).__name__} has no handle_message()")
        if group.batchers and not has(given, "handle_batch"):
            raise TypeError(
                f"{path}: {type(given).__name__} has no handle_batch(), which batchers need"
            )
