"""Source: a producer of messages, as a pipeline runs it. Elixir: ``Broadway.Producer``.

PIPE2's. It is a ``runtime.stages.Producer[Message[T]]``. ``Line`` is given by ``enter_line``, before
``init``. What it must do for the rest:

- ``init`` (its own part, whatever the user's does): ``line.joined(process, line.producer_name(index))``.
- its dispatcher is the one that ``line.make_dispatcher()`` returns.
- what is emitted: ``transform``, check, ``line.custody.admit(messages, pid)``, rate limit, outlet.
- every delivery (``_delivering(subscription, events)``): ``line.delivered(subscription, events)``;
  with several groups it puts each group's own copies into ``events``.
- ``DrainAsked`` (a ``SystemCast``): ``prepare_for_draining()``, whose messages still go; then no more
  ``handle_demand``; once everything emitted has been delivered it ends ``Normal``. The same end for a
  source that has nothing more to give (``Stop(NORMAL)``): only after all of it has been delivered.
"""
