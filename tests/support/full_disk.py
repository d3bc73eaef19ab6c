"""A small disk of its own that can really be full: a tmpfs in a mount namespace, so that nobody has to be root.

``on_a_small_disk`` runs a function in a process that has such a disk, and gives what it returned. Belongs here: making the
disk, filling it, and the way there and back. What is done on it is the tests'.
"""

from __future__ import annotations

import json
import os
import pkgutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from core.settings import ROOT

_SPACES = (["unshare", "--user", "--map-root-user", "--mount"], ["unshare", "--mount"])
"""As anybody where the kernel lets users have namespaces, else as root."""
_MOUNT = 'mount -t tmpfs -o size="$1"k none "$2" && shift 2 && exec "$@"'


class SmallDisk:
    """The disk, below ``root``."""

    def __init__(self, root: Path) -> None:
        self.root, self._ballast = root, root / "ballast"

    def leave(self, kib: int) -> None:
        """Fill it but for so many KiB."""
        self.make_room()
        told = os.statvfs(self.root)
        size = told.f_bavail * told.f_frsize - kib * 1024
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)

    def make_room(self) -> None:
        """Take the filling away."""
        self._ballast.unlink(missing_ok=True)


def on_a_small_disk(work: Callable[..., Any], kib: int, *arguments: str) -> Any:
    """What ``work(disk, *arguments)`` returned, run in a process of its own with a disk of so many KiB.

    It is not skipped where no such disk can be made: that is a failure, which says what the machine has to allow.
    """
    name = f"{work.__module__}.{work.__qualname__}"
    with tempfile.TemporaryDirectory() as folder:
        inside = [sys.executable, "-m", "tests.support.full_disk", name, folder, *arguments]
        ended = subprocess.run(
            [*_space(folder), "sh", "-c", _MOUNT, "sh", str(kib), folder, *inside],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def _space(folder: str) -> list[str]:
    said = []
    for space in _SPACES:
        tried = subprocess.run(
            [*space, "mount", "-t", "tmpfs", "-o", "size=64k", "none", folder],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if tried.returncode == 0:
            return space
        said.append(tried.stderr.strip())
    raise AssertionError(
        "No small disk can be made here. Allow users namespaces (sysctl kernel.unprivileged_userns_clone=1, "
        f"kernel.apparmor_restrict_unprivileged_userns=0) or run as root: {said}"
    )


if __name__ == "__main__":
    name, root, *arguments = sys.argv[1:]
    print(json.dumps(pkgutil.resolve_name(name)(SmallDisk(Path(root)), *arguments)))  # noqa: T201
