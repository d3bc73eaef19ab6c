"""How much memory a process and all its children hold at once."""

from __future__ import annotations

import subprocess
import time

import psutil

_EVERY_S = 0.1


def peak_bytes(process: subprocess.Popen[bytes]) -> int:
    """The largest sum of resident memory, in bytes, until the process ends.

    Shared pages are counted once per process that has them, so the peak is an upper bound.
    """
    tree = psutil.Process(process.pid)
    peak = 0
    while process.poll() is None:
        total = 0
        for each in (tree, *_children(tree)):
            try:
                total += each.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        peak = max(peak, total)
        time.sleep(_EVERY_S)
    return peak


def _children(tree: psutil.Process) -> list[psutil.Process]:
    try:
        return tree.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
