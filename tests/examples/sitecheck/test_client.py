from __future__ import annotations

import pytest

from examples.sitecheck.client import CLIENT, Client, GetClient
from runtime import kill, open_node, start, wait_exit


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_all_get_the_same_client_and_it_is_closed_however_its_owner_ends(end: str) -> None:
    async with open_node(instruments=[]):
        owner = await start(Client.child_spec().replace(name="client"))
        client = await CLIENT.call(GetClient())
        assert await CLIENT.call(GetClient()) is client
        assert not client.is_closed
        pid = owner.pid
        if end == "kill":
            kill(owner)
        else:
            await owner.stop()
        await wait_exit(pid)
        assert client.is_closed
