"""Who is pushing: a name that tells, on the same machine, whether its owner still lives."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path


def new_worker() -> str:
    """``host:pid:start:token``: unique for each push, also within one process."""
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}:{uuid.uuid4().hex[:8]}"


def is_gone(worker: str) -> bool:
    """Whether a worker of this machine has ended; one of another machine may always be alive."""
    host, _, rest = worker.partition(":")
    pid, _, rest = rest.partition(":")
    started, _, _ = rest.partition(":")
    if host != socket.gethostname() or not pid.isdigit():
        return False
    return _started(int(pid)) != started


def _started(pid: int) -> str:
    """When a process started, in the kernel's ticks; empty when there is none. A pid alone is used again."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # The name in brackets may hold spaces; the start time is the twentieth field after it.
    return stat.rpartition(")")[2].split()[19]
