"""What is dear to make and the same for every process of a run of the tests: made by the first that asks, copied for each."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


class MadeOnce:
    """Folders by name. What lies in one is nobody's to change, nor to open: each process has a copy of its own."""

    def __init__(self, config: pytest.Config, paths: pytest.TempPathFactory) -> None:
        own = paths.getbasetemp()
        # The processes of one run have their folders side by side.
        self._of_all = (own.parent if hasattr(config, "workerinput") else own) / "made-once"
        self._paths = paths

    def folder(self, name: str, make: Callable[[Path], object]) -> Path:
        """A copy of what ``make`` leaves in the folder that it is given. One in which it failed is made anew."""
        made = self.original(name, make)
        return Path(shutil.copytree(made, self._paths.mktemp(name) / made.name))

    def original(self, name: str, make: Callable[[Path], object]) -> Path:
        """The folder itself: for who takes copies of it, and knows where it was made."""
        self._of_all.mkdir(exist_ok=True)
        made, is_whole = self._of_all / name, self._of_all / f"{name}.made"
        with FileLock(self._of_all / f"{name}.lock"):
            if not is_whole.exists():
                shutil.rmtree(made, ignore_errors=True)
                made.mkdir()
                make(made)
                is_whole.touch()
        return made
