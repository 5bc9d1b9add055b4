"""What a suspended server still sees."""

from __future__ import annotations

from runtime import Node, get_state, resume, suspend
from runtime.process import Process
from runtime.system_messages import take_system
from tests.support import Note, Scripted


async def test_the_runtimes_own_come_out_of_turn_and_the_others_stay(node: Node) -> None:
    server = await Scripted.start()
    await suspend(server)
    server.send(Note(text="waits"))
    assert await get_state(server) is not None, "answered, though a cast is before it"
    process = server.find()
    assert isinstance(process, Process)
    assert list(process.mailbox.items) == [Note(text="waits")]
    assert take_system(process) is None
    await resume(server)
