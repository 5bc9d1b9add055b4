"""What behaviours say of themselves, and what is said of who owns tables."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from runtime import (
    GenServer,
    Node,
    Registry,
    RegistryRef,
    Table,
    crashes,
    snapshot,
    spawn,
    start,
)
from tests.runtime.inspected import the


class Telling(GenServer):
    """Says how it is, if it can."""

    def init(self) -> None:
        self.told: Any = {"length": 3}

    def facts(self) -> Any:
        if isinstance(self.told, Exception):
            raise self.told
        return self.told

    def handle_info(self, message: object) -> None:
        self.told = message


@pytest.mark.parametrize(
    ("told", "facts"),
    [
        ({"length": 3}, {"length": 3}),
        ({}, {}),
        (ValueError("no"), {"facts": "raised ValueError('no')"}),
        (None, {"facts": "raised TypeError('facts: returned None, allowed is a mapping')"}),
    ],
)
async def test_a_behaviour_says_how_it_is(node: Node, told: object, facts: object) -> None:
    server = await start(Telling.child_spec().replace(name="one"))
    server.send(told)
    await wait_all_tasks_blocked()
    assert the("one").facts == facts


async def test_who_owns_tables_says_so(node: Node) -> None:
    names_of: RegistryRef[str, None] = RegistryRef(await Registry.start())

    async def owner() -> None:
        names_of.register("owner")
        table: Table[int, int] = Table("rows")
        table.insert(1, 1)
        unnamed: Table[int, int] = Table()
        await trio.sleep_forever()
        del unnamed

    async def other() -> None:
        names_of.register("other")
        await trio.sleep_forever()

    spawn(owner)
    await wait_all_tasks_blocked()
    spawn(other)
    await wait_all_tasks_blocked()
    assert crashes() == []
    assert [one.facts for one in snapshot().processes[1:]] == [
        {"tables": {"rows": 1, "unnamed 2": 0}},
        {},
    ]
