"""What must hold of stages at any moment, whatever has happened to them.

Nothing here predicts: it counts. Every item that was made is in one place and only there, nothing
has overtaken anything, and both ends of a subscription agree on what is under way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

from runtime.process import Process
from runtime.stages import (
    NO_PARTITION,
    BroadcastDispatcher,
    DemandDispatcher,
    Dispatcher,
    PartitionDispatcher,
    Subscription,
)
from runtime.stages.subscription import Events
from tests.models.stages_parts import MOST_QUEUED, Item, Life, Middle, Sink, Source, place, wants


def numbers(items: list[Item]) -> list[int]:
    return [item.number for item in items]


def is_rising(items: list[Item]) -> bool:
    """In the order in which they were made, none twice."""
    return all(one.number < other.number for one, other in pairwise(items))


def known_to(dispatcher: Dispatcher[Item]) -> set[Subscription]:
    """The consumers that a dispatcher counts with."""
    match dispatcher:
        case DemandDispatcher():
            assert dispatcher._known.keys() == {one.subscription for one in dispatcher._order}
            return set(dispatcher._known)
        case BroadcastDispatcher():
            return set(dispatcher._pending)
        case PartitionDispatcher():
            return set(dispatcher._of)
        case _:
            raise AssertionError(dispatcher)


def pending_of(dispatcher: Dispatcher[Item], subscription: Subscription) -> int:
    """What the producer thinks a consumer still wants."""
    match dispatcher:
        case DemandDispatcher():
            return dispatcher._known[subscription].pending
        case BroadcastDispatcher():
            return dispatcher._pending[subscription]
        case PartitionDispatcher():
            return dispatcher._of[subscription].pending
        case _:
            raise AssertionError(dispatcher)


# -- what a stage gives away -------------------------------------------------------------------


def gives_in_order(life: Life) -> None:
    """Also one that has ended."""
    streams: list[list[Item]]
    match life.rules:
        case "demand":
            streams = [[item for _, item in life.given]]
        case "broadcast":
            streams = [life.given_to(subscription) for subscription in life.joined]
        case _:
            streams = [
                [item for _, item in life.given if place(item) == partition]
                for partition in (0, 1, NO_PARTITION)
            ]
            assert streams[2] == []
    assert all(map(is_rising, streams)) or life.emitted_held
    assert all(len(stream) == len(set(stream)) for stream in streams)
    assert life.early == [], "an info came before what it was behind"
    assert life.infos == list(range(len(life.infos)))


def loses_nothing(life: Life) -> None:
    """Of a living one: what it made is given, waits, was nobody's or did not fit."""
    kept, queues = life.kept(), life.queues()
    given = {item.number for _, item in life.given}
    queued = {item.number for queue in queues for item in queue}
    assert not given & queued
    assert len(queued) == sum(map(len, queues))
    away = given | queued
    still = set(kept)
    nobodys = unwanted(life, [item for item in life.made if item not in still])
    where = len(away) + len(still) + len(nobodys)
    if life.discarded == 0:
        assert where == len(life.made)
    else:
        assert where - len(nobodys) <= len(life.made) - life.discarded <= where
    assert len(still) == len(kept)
    assert not away & {item.number for item in kept}
    assert life.rules != "bounded partition" or all(len(one) <= MOST_QUEUED for one in queues)
    if life.buffer_size is not None:
        outlet = life.outlet()
        assert outlet is None or len(outlet.buffer) <= life.buffer_size
    if not life.emitted_held:
        overtakes_nothing(life, kept, queues, away)


def overtakes_nothing(
    life: Life, kept: list[Item], queues: list[list[Item]], away: set[int]
) -> None:
    """What was emitted first leaves first, and in a partition reaches the consumer first."""
    assert is_rising(kept)
    assert not kept or all(number < kept[0].number for number in away)
    for partition, queue in enumerate(queues):
        assert is_rising(queue)
        before = [item.number for _, item in life.given if place(item) == partition]
        assert not queue or not before or before[-1] < queue[0].number


def unwanted(life: Life, left: list[Item]) -> list[Item]:
    """What has left, and nobody was to get."""
    given = {item.number for _, item in life.given}
    if life.rules == "broadcast":  # what each selector of that time rejected
        return [item for item in left if item.number not in given]
    if life.rules == "demand":
        return []
    return [item for item in left if place(item) is NO_PARTITION]


def broadcasts_to_all(life: Life) -> None:
    """Each gets all that leaves while it is there, or what its selector lets through."""
    outlet = life.outlet()
    if outlet is None or life.rules != "broadcast" or life.emitted_held:
        return
    left = len(life.made) - len(life.kept())
    for subscription in known_to(outlet.dispatcher):
        if subscription not in life.joined:
            continue  # its handle_subscribe is yet to run
        due = life.made[life.joined[subscription] : left]
        if subscription.options.selector is not None:
            due = [item for item in due if wants(item)]
        assert life.given_to(subscription) == due


def counts_its_demand(life: Life, process: Process) -> None:
    """Never negative; what is wanted has been asked for, and nothing that is wanted waits."""
    outlet = life.outlet()
    if outlet is None:
        return
    demand = outlet.dispatcher.demand
    assert demand >= 0
    assert outlet.unanswered >= 0
    assert not outlet.buffer or demand == 0
    if not process.parked:
        return
    assert demand <= outlet.unanswered
    assert known_to(outlet.dispatcher) == outlet.downstreams.keys()
    stage = life.stage
    if isinstance(stage, Source) and not life.was_held:
        assert life.wanted == outlet.unanswered
        assert not life.stock or not life.wanted
    if isinstance(stage, Middle):
        assert not stage._stage_queue or outlet.unanswered == 0
    behind = isinstance(stage, Middle) and stage._stage_queue
    if not behind and not life.kept() and not outlet.dispatcher.queued:
        assert len(life.infos) == life.infos_queued


# -- what a stage is given ---------------------------------------------------------------------


def gets_what_it_was_sent(life: Life, lives: Mapping[object, Life]) -> None:
    """In that order, each once; also one that has ended, which may have left some."""
    for subscription, got in life.got.items():
        sent = lives[subscription.producer].given_to(subscription)
        assert got == sent[: len(got)]


def asks_for_no_more_than_is_wanted(life: Life) -> None:
    """What the user was asked for, and what was given: no more than consumers have asked for."""
    given: Counter[Subscription] = Counter(to for to, _ in life.given)
    assert all(count <= life.asked[to] for to, count in given.items())
    rejected = len(unwanted(life, life.made)) + sum(map(len, life.queues()))
    assert life.demanded <= sum(life.asked.values()) + rejected


def knows_what_is_under_way(life: Life, process: Process, lives: Mapping[object, Life]) -> None:
    """Of a living one that has nothing to do: so do its producers."""
    stage = life.stage
    assert stage is not None
    if isinstance(stage, Source) or not process.parked:
        return
    waiting = waiting_in(stage)
    for subscription, upstream in stage._stage_producers.items():
        maker = lives[subscription.producer]
        got, sent = life.got[subscription], maker.given_to(subscription)
        held = waiting.get(subscription, [])
        assert got + held == sent
        outlet = maker.outlet()
        producer = upstream.process
        assert producer is not None
        assert producer.status != "ended", "its end was told"
        if not producer.parked or outlet is None:
            continue
        assert subscription in outlet.downstreams
        if upstream.demand is not None:
            assert 0 < upstream.demand.pending <= subscription.max_demand
            wanted = upstream.demand.pending - len(held)
            assert pending_of(outlet.dispatcher, subscription) == wanted


def waiting_in(stage: Middle | Sink) -> dict[Subscription, list[Item]]:
    """What a stage in the middle has been sent and not begun, as nobody wants anything of it."""
    waiting: dict[Subscription, list[Item]] = {}
    if isinstance(stage, Middle):
        for one in stage._stage_queue:
            if isinstance(one, Events):
                waiting.setdefault(one.subscription, []).extend(one.events)
    return waiting


def hears_each_end_once(life: Life) -> None:
    ended = [subscription for subscription, _ in life.ended]
    assert len(ended) == len(set(ended))
