"""What a disk may hold after the power fails: recorded with ``strace``, replayed write by write.

A write that was not synced may be there, be missing, or be there in some of its sectors, and so may each write before it
since the last sync, in any combination. A file that was made and whose folder was not synced may be gone. What a process
says on its standard output it has acknowledged.

Belongs here: recording and replaying. What has to hold afterwards is the test's.
"""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
_CALLS = "pwrite64,write,ftruncate,fsync,fdatasync,unlink"
_LINE = re.compile(r"^(?P<name>\w+)\((?P<rest>.*)\)\s+= (?P<result>\d+)$")
_ON = re.compile(r"^(?P<number>\d+)<(?P<path>[^>]*)>(?:, )?(?P<rest>.*)$")


@dataclass(frozen=True)
class Event:
    """One call. ``path`` is the file; ``data`` is written at ``at``, or said; a ``cut`` leaves ``at`` bytes."""

    kind: str
    path: str
    at: int = 0
    data: bytes = b""


def record(command: Sequence[str], cwd: Path, trace: Path) -> list[Event]:
    """Run a program of one thread to its end; what it wrote, synced, cut, removed and said, in order."""
    found = shutil.which("strace")
    assert found, (
        "strace is not installed: run ./scripts/install-browser.sh once, as the tests of the page need it too"
    )
    strace = [found, "-y", "-xx", "-s", str(1 << 24), "-e", f"trace={_CALLS}", "-o", str(trace)]
    subprocess.run([*strace, *command], cwd=cwd, check=True, stdout=subprocess.PIPE)
    return [event for line in trace.read_text(encoding="ascii").splitlines() if (event := _event(line))]


def _event(line: str) -> Event | None:
    call = _LINE.match(line)
    if call is None:
        return None
    name, rest = call["name"], call["rest"]
    if name == "unlink":
        return Event("unlink", _bytes(rest).decode())
    on = _ON.match(rest)
    assert on, line
    path = _bytes(on["path"]).decode(errors="replace")
    if name in {"fsync", "fdatasync"}:
        return Event("sync", path)
    if name == "ftruncate":
        return Event("cut", path, int(on["rest"]))
    text, _, sizes = on["rest"].rpartition('"')
    if name == "write":
        return Event("say", path, data=_bytes(text)) if on["number"] == "1" else None
    return Event("write", path, int(sizes.split(", ")[-1]), _bytes(text))


def _bytes(text: str) -> bytes:
    """The bytes that ``strace -xx`` wrote as ``\\x41``."""
    return bytes.fromhex("".join(re.findall(r"\\x([0-9a-f]{2})", text)))


@dataclass
class Disk:
    """The files of one folder: what is on disk for certain, and what was written since and may be or not."""

    files: dict[str, bytes]
    pending: defaultdict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    unsure: set[str] = field(default_factory=set)
    """Files whose name may not be in the folder."""

    def take(self, folder: str, event: Event) -> None:
        """What the call changes."""
        if event.kind == "sync" and event.path == folder:
            self.unsure.clear()
        elif not event.path.startswith(f"{folder}/") or event.path.endswith("-shm"):
            return
        elif event.kind == "sync":
            content = self.files.get(event.path, b"")
            for change in self.pending.pop(event.path, []):
                content = _applied(content, change, None)
            self.files[event.path] = content
        elif event.kind == "unlink":
            # Harmless either way is what SQLite has to make sure of before: here it is gone at once.
            self.files.pop(event.path, None)
            self.pending.pop(event.path, None)
        elif event.kind in {"write", "cut"}:
            if event.path not in self.files and event.path not in self.pending:
                self.unsure.add(event.path)
            self.pending[event.path].append(event)

    def after_power_loss(self, rng: random.Random, share: float) -> dict[str, bytes]:
        """The files as they may be found: each write that was not synced with this probability, perhaps in part."""
        found: dict[str, bytes] = {}
        for path in self.files.keys() | self.pending.keys():
            if path in self.unsure and rng.random() >= share:
                continue
            content = self.files.get(path, b"")
            for change in self.pending.get(path, []):
                if rng.random() < share:
                    content = _applied(content, change, rng if share < 1 else None)
            found[path] = content
        return found


def _applied(content: bytes, change: Event, rng: random.Random | None) -> bytes:
    """The content after a change; with ``rng`` some of its sectors may have stayed as they were."""
    if change.kind == "cut":
        return content[: change.at].ljust(change.at, b"\0")
    torn = rng is not None and rng.random() < 0.5
    made = bytearray(content.ljust(change.at + len(change.data), b"\0"))
    for start in range(0, len(change.data), SECTOR):
        if torn and rng is not None and rng.random() < 0.5:
            continue
        part = change.data[start : start + SECTOR]
        made[change.at + start : change.at + start + len(part)] = part
    return bytes(made)


def power_losses(
    folder: Path, before: dict[str, bytes], events: Sequence[Event], rng: random.Random
) -> Iterator[tuple[bytes, dict[str, bytes]]]:
    """After each call that changes the disk or says something: what was said last, and the files as they may be found.

    Three ways each: nothing unsynced is there, all of it is, and half of it in parts.
    """
    disk, said = Disk(dict(before)), b""
    for event in events:
        disk.take(str(folder), event)
        said = event.data if event.kind == "say" else said
        for share in (0.0, 1.0, 0.5):
            yield said, disk.after_power_loss(rng, share)
