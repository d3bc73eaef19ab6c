"""One demo and its repetition, as a user runs them, shared by every module that looks at their outcome.

The repetition is a live one, in a copy of the home: what it adds is in nobody's way. Several processes of one run of the
tests share both, each with a copy.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.made_once import MadeOnce
from tests.support.up import free_port

ROOT = Path(__file__).resolve().parents[2]


def demo(home: Path, *words: str) -> tuple[dict[str, Any], str]:
    """A demo that ends well: its document, and what it said beside it."""
    command = [sys.executable, "-m", "cli", "demo", "--json", "--orders", "240", "--base-port", "0", *words]
    done = subprocess.run(
        command,
        env={**os.environ, "WAYBILL_HOME": str(home)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    document: dict[str, Any] = json.loads(done.stdout)
    return document, done.stderr


def kept_demo(folder: Path, *words: str) -> None:
    """A demo in a folder's ``home``, and beside it what it told."""
    document, said = demo(folder / "home", *words)
    (folder / "told.json").write_text(json.dumps([document, said]), encoding="utf-8")


def told_in(copy: Path, original: Path) -> tuple[dict[str, Any], str]:
    """What the demo told, with the paths of the copy."""
    told = (copy / "told.json").read_text(encoding="utf-8")
    document, said = json.loads(told.replace(str(original), str(copy)))
    return document, said


@pytest.fixture(scope="session")
def original(made_once: MadeOnce) -> Path:
    """The folder in which the first demo of this run of the tests was: what is there stays as it was left."""
    return made_once.original("demo", kept_demo)


@pytest.fixture(scope="session")
def home(original: Path, made_once: MadeOnce) -> Path:
    return made_once.folder("demo", kept_demo) / "home"


@pytest.fixture(scope="session")
def first(original: Path, home: Path) -> dict[str, Any]:
    return told_in(home.parent, original)[0]


@pytest.fixture(scope="session")
def first_marts(first: dict[str, Any]) -> Path:
    """The marts as the first run left them."""
    return Path(first["paths"]["serving"])


@pytest.fixture(scope="session")
def truth(first: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(first["paths"]["truth"]).read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="session")
def repetition(original: Path, made_once: MadeOnce) -> tuple[Path, Path]:
    """Where the repetition ran, and this process's copy of it."""

    def repeat(folder: Path) -> None:
        shutil.copytree(original / "home", folder / "home")
        kept_demo(folder, "--live", "--api-port", str(free_port()))

    return made_once.original("again", repeat), made_once.folder("again", repeat)


@pytest.fixture(scope="session")
def again(repetition: tuple[Path, Path]) -> Path:
    """The home of the repetition, as it was left."""
    return repetition[1] / "home"


@pytest.fixture(scope="session")
def ran_in(repetition: tuple[Path, Path]) -> Path:
    """The home that its processes had."""
    return repetition[0] / "home"


@pytest.fixture(scope="session")
def repeated(repetition: tuple[Path, Path]) -> tuple[dict[str, Any], str]:
    ran, copy = repetition
    return told_in(copy, ran)


@pytest.fixture(scope="session")
def second(repeated: tuple[dict[str, Any], str]) -> dict[str, Any]:
    return repeated[0]


@pytest.fixture(scope="session")
def said(repeated: tuple[dict[str, Any], str]) -> str:
    """What the repetition told whoever watched."""
    return repeated[1]
