import trio
from runtime import Node, start, wait_exit, kill, Killed
from tests.support import Scripted, Ask
async def test_one(node: Node) -> None:
    s = await start(Scripted.child_spec())
    await trio.sleep(10)
    assert await s.call(Ask(lambda server, r: 5)) == 5
    kill(s)
    assert await wait_exit(s) == Killed()
    await start(Scripted.child_spec())
