"""``python -m cli.keeper COMMAND…``: run a command, and end it with all it started when its owner is gone.

The owner holds the other end of our stdin. Closing it, or dying in whatever way, ends the command: first it is
asked, then what is left of the process group is killed. The keeper is to lead that group. Belongs here: nothing
that is known about the command.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from contextlib import suppress

STOP_TIMEOUT_S = 15


def main(words: list[str]) -> int:
    """The command's own exit code when it ends by itself; otherwise this does not return."""
    command = subprocess.Popen(words, stdin=subprocess.DEVNULL)
    ended = os.pidfd_open(command.pid)
    readable, _, _ = select.select([sys.stdin.fileno(), ended], [], [])
    if ended not in readable:
        command.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            command.wait(timeout=STOP_TIMEOUT_S)
        # Whatever the command started and left: the keeper itself is the last of its group.
        os.killpg(os.getpgrp(), signal.SIGKILL)
    code = command.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
