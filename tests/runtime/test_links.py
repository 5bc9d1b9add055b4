"""Who must hear of an end: the data, without delivery."""

from __future__ import annotations

from runtime.links import Links
from runtime.messages import MonitorRef


def test_a_pair_has_at_most_one_link() -> None:
    """PROC-040."""
    links: Links[str] = Links()
    links.link("q")
    links.link("q")
    assert links.linked() == ("q",)
    assert links.unlink("q")
    assert links.linked() == ()
    assert not links.unlink("q")


def test_unlinking_what_was_never_linked_says_so() -> None:
    """PROC-041."""
    links: Links[str] = Links()
    assert not links.unlink("q")
    links.link("p")
    assert not links.unlink("q")


def test_links_are_listed_in_the_order_of_linking() -> None:
    links: Links[int] = Links()
    for other in (3, 1, 2):
        links.link(other)
    links.link(3)
    assert links.linked() == (3, 1, 2)


def test_the_lists_are_copies() -> None:
    """Death works on copies: what is changed while it is told does not disturb it."""
    links: Links[str] = Links()
    ref = MonitorRef()
    links.link("q")
    links.watched(ref, "w", "name")
    links.watch(ref, "t")
    before = links.linked(), links.watchers(), links.watching()
    links.unlink("q")
    links.unwatched(ref)
    assert links.unwatch(ref) == "t"
    assert before == (("q",), ((ref, "w", "name"),), ((ref, "t"),))


def test_each_monitor_has_its_own_ref() -> None:
    """PROC-051."""
    links: Links[str] = Links()
    one, two = MonitorRef(), MonitorRef()
    assert one != two
    links.watched(one, "w", None)
    links.watched(two, "w", None)
    assert links.watchers() == ((one, "w", None), (two, "w", None))
    links.unwatched(one)
    assert links.watchers() == ((two, "w", None),)


def test_a_monitor_is_forgotten_once() -> None:
    """PROC-059."""
    links: Links[str] = Links()
    ref = MonitorRef()
    assert links.unwatch(ref) is None
    links.watch(ref, "t")
    assert links.unwatch(ref) == "t"
    assert links.unwatch(ref) is None


def test_forgetting_a_watcher_nobody_knows_is_no_error() -> None:
    links: Links[str] = Links()
    links.unwatched(MonitorRef())
    links.watched(MonitorRef(), "w", None)
    links.unwatched(MonitorRef())
    assert len(links.watchers()) == 1


def test_fresh_links_are_empty() -> None:
    links: Links[str] = Links()
    assert (links.linked(), links.watchers(), links.watching()) == ((), (), ())
