"""What the loop calls is what servers have."""

from __future__ import annotations

import inspect

from runtime import GenServer
from runtime.callbacks import Server


class Plain(GenServer):
    pass


def test_a_gen_server_has_every_callback_that_is_called() -> None:
    server: Server = Plain()
    called = [name for name, _ in inspect.getmembers(Server, inspect.isfunction)]
    assert {"init", "handle_call", "handle_cast", "handle_info", "terminate"} <= {*called}
    assert all(callable(getattr(server, name)) for name in called)
