"""``python -m cli.keeper [--log FILE] COMMAND…``: run a command, and end it with all it started when its owner is gone.

The owner holds the other end of our stdin. Closing it, or dying in whatever way, ends the command: first it is
asked, then what is left of the process group is killed. The keeper is to lead that group. With a log, it writes there what
the command says. Belongs here: nothing that is known about the command.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from cli.logs import copy

STOP_TIMEOUT_S = 15
_LAST_WORDS_S = 2.0
"""So long what a command said at its end is waited for: something that it left may hold its output open."""


def main(words: list[str]) -> int:
    """The command's own exit code when it ends by itself; otherwise this does not return."""
    if words[0] == "--log":
        command, listening = _heard(Path(words[1]), words[2:])
    else:
        command, listening = subprocess.Popen(words, stdin=subprocess.DEVNULL), None
    ended = os.pidfd_open(command.pid)
    readable, _, _ = select.select([sys.stdin.fileno(), ended], [], [])
    if ended not in readable:
        command.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            command.wait(timeout=STOP_TIMEOUT_S)
        _hear_out(listening)
        # Whatever the command started and left: the keeper itself is the last of its group.
        os.killpg(os.getpgrp(), signal.SIGKILL)
    code = command.wait()
    _hear_out(listening)
    return code if code >= 0 else 128 - code


def _heard(log: Path, words: list[str]) -> tuple[subprocess.Popen[bytes], threading.Thread]:
    """The command, and who writes down what it says."""
    command = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    listening = threading.Thread(target=copy, args=(command.stdout, log), daemon=True)
    listening.start()
    return command, listening


def _hear_out(listening: threading.Thread | None) -> None:
    if listening is not None:
        listening.join(_LAST_WORDS_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
