"""Servers that are started at once get ports of their own."""

from contextlib import ExitStack

from flows.embedded import free_port


def test_commands_that_start_at_once_take_no_port_together() -> None:
    with ExitStack() as commands:
        ports = [commands.enter_context(free_port()) for _ in range(4)]
    assert len(set(ports)) == 4
