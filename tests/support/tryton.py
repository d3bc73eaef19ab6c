"""A Tryton server for tests: its environment and its databases are made once and kept in ``.cache/tryton``.

A database is kept under a hash of the script that makes it, the lock, our module and the year; each server gets a copy.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
from filelock import FileLock

from core.settings import ROOT
from tests.support.postgres import USER, Server

CACHE = ROOT / ".cache" / "tryton"
BINARIES = CACHE / "venv" / "bin"
SCRIPT = ROOT / "scripts" / "tryton_database.py"
MODULE = ROOT / "extras" / "tryton" / "waybill_reference"
NAME = "waybill"
LOGIN, PASSWORD, KEY = "waybill", "tests-only-password", "tests-only-key"
ADMIN, ADMIN_PASSWORD = "admin", "tests-only-admin"


def environment(url: str) -> dict[str, str]:
    """What the connection files in ``connections/examples/tryton`` ask for."""
    return {
        "TRYTON_URL": url,
        "TRYTON_KEY": KEY,
        "TRYTON_LOGIN": LOGIN,
        "TRYTON_PASSWORD": PASSWORD,
    }


@contextmanager
def on_sqlite(folder: Path, *, unique: bool) -> Iterator[str]:
    """The address of a new database, for one client at a time."""
    shutil.copyfile(_sqlite(unique=unique), folder / f"{NAME}.sqlite")
    with _serving(_configure(folder, "sqlite://"), {}) as url:
        yield url


@contextmanager
def on_postgres(folder: Path, postgres: Server, *, unique: bool) -> Iterator[str]:
    """The address of a new database that several clients can use."""
    dump = _postgres(postgres, unique=unique)
    with postgres.database(template=None, name=NAME):
        postgres.run("pg_restore", "--dbname", NAME, "--no-owner", str(dump))
        with _serving(_configure(folder, "postgresql://"), _reach(postgres)) as url:
            yield url


def _sqlite(*, unique: bool) -> Path:
    folder = CACHE / f"sqlite-{_hash()}"
    made, other = folder / "plain.sqlite", folder / "unique.sqlite"
    with _once(folder):
        configuration, work = _configure(folder, "sqlite://"), folder / f"{NAME}.sqlite"
        if not made.exists():
            work.write_bytes(b"")
            _build(configuration, {})
            work.rename(made)
        if unique and not other.exists():
            shutil.copyfile(made, work)
            _make_unique(configuration, {})
            work.rename(other)
    return other if unique else made


def _postgres(postgres: Server, *, unique: bool) -> Path:
    folder = CACHE / f"postgresql-{_hash()}"
    made, other = folder / "plain.dump", folder / "unique.dump"
    with _once(folder):
        if not (made.exists() and other.exists()):
            configuration = _configure(folder, "postgresql://")
            with postgres.database(template=None, name=NAME):
                _build(configuration, _reach(postgres))
                _dump(postgres, made)
                _make_unique(configuration, _reach(postgres))
                _dump(postgres, other)
    return other if unique else made


def _dump(postgres: Server, target: Path) -> None:
    part = target.with_suffix(".part")
    postgres.run("pg_dump", "--format=custom", f"--file={part}", NAME)
    part.rename(target)


@contextmanager
def _once(folder: Path) -> Iterator[None]:
    if not BINARIES.is_dir():
        raise RuntimeError("Tryton is not installed: `make tryton` does it.")
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        yield


def _build(configuration: Path, reach: dict[str, str]) -> None:
    _run([BINARIES / "python", SCRIPT, configuration, NAME], reach)


def _make_unique(configuration: Path, reach: dict[str, str]) -> None:
    """Install our module, as docs/tryton.md says."""
    _place_module()
    _run([BINARIES / "trytond-admin", "-c", configuration, "-d", NAME, "-u", MODULE.name], reach)


def _place_module() -> None:
    """Where the server looks for it; also when the environment is newer than the databases."""
    (modules,) = (CACHE / "venv" / "lib").glob("python*/site-packages/trytond/modules")
    shutil.copytree(MODULE, modules / MODULE.name, dirs_exist_ok=True)


def _run(command: list[str | Path], reach: dict[str, str]) -> None:
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **reach})


def _reach(postgres: Server) -> dict[str, str]:
    return {"PGHOST": str(postgres.socket), "PGUSER": USER}


def _configure(folder: Path, uri: str) -> Path:
    # Printing is left to Tryton's workers, as where many invoices are posted; here there are none.
    path = folder / "trytond.conf"
    path.write_text(f"[database]\nuri = {uri}\npath = {folder}\n\n[queue]\nworker = True\n", encoding="utf-8")
    return path


def _hash() -> str:
    parts = [SCRIPT, ROOT / "requirements-tryton.lock", *sorted(MODULE.glob("*.*"))]
    told = b"".join(each.read_bytes() for each in parts) + str(datetime.now(UTC).year).encode()
    return hashlib.sha256(told).hexdigest()[:16]


@contextmanager
def _serving(configuration: Path, reach: dict[str, str]) -> Iterator[str]:
    """The server listens before it starts, so nobody has to wait for a port or guess one."""
    _place_module()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(64)
        number = listening.fileno()
        # Werkzeug takes a socket over from whoever starts it anew.
        handed = {"WERKZEUG_RUN_MAIN": "true", "WERKZEUG_SERVER_FD": str(number)}
        with (configuration.parent / "log").open("wb") as log:
            server = subprocess.Popen(
                [BINARIES / "trytond", "-c", configuration, "-d", NAME],
                env={**os.environ, **reach, **handed}, pass_fds=(number,), stdout=log, stderr=log,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - as in postgres.py
            )  # fmt: skip
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/{NAME}"
    try:
        httpx.get(url, timeout=60)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=30)


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
