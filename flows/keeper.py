"""Run a command for as long as the process that started this one lives: `python -m flows.keeper COMMAND…`.

Its standard input is a pipe that the starter holds open and never writes to: it ends when the starter does, however
that dies. In a session of its own, the command does not hear the Ctrl-C that is meant for the starter.
"""

import os
import select
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

LOOK_EVERY = 0.5  # seconds
PATIENCE = 10.0  # seconds that the command has to end by itself


def keep(command: Sequence[str]) -> int:
    """Run a command until it ends or standard input does; return its exit code."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:  # noqa: S603 - the starter's own words
        while process.poll() is None:
            ended, _, _ = select.select([sys.stdin], [], [], LOOK_EVERY)
            if ended and not os.read(sys.stdin.fileno(), 1):
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(PATIENCE)
                process.kill()
                break
    return process.returncode


if __name__ == "__main__":
    sys.exit(keep(sys.argv[1:]))
