"""Starting the sandbox as the program it is, for tests and tools beside it. The platform does not import this.

Belongs here: the command line and the one line it prints. Stopping is SIGTERM.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parent.parent


def start(
    home: Path,
    seed: int = 7,
    orders: int = 2000,
    base_port: int = 0,
    speed: float = 1.0,
    errors: IO[bytes] | int | None = None,
) -> subprocess.Popen[bytes]:
    """A running ``python -m sandbox``; its errors go to ``errors`` (default: this process's stderr)."""
    options = {
        "--home": str(home),
        "--seed": str(seed),
        "--orders": str(orders),
        "--base-port": str(base_port),
        "--speed": str(speed),
    }
    words = [word for option in options.items() for word in option]
    return subprocess.Popen(
        [sys.executable, "-m", "sandbox", *words, "--with-parent"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
    )


def ready(process: subprocess.Popen[bytes]) -> dict[str, Any] | None:
    """What the sandbox says when all its servers answer; None when it ended instead."""
    line = process.stdout.readline() if process.stdout else b""
    if not line:
        process.wait()
        return None
    endpoints: dict[str, Any] = json.loads(line)
    return endpoints
