"""A worker that is to die at a place dies there: at that call, of that thing, once it is said, and at no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.support import worker_deaths
from tests.support.worker_deaths import Doom, Place, _die_at


class Killed(BaseException):
    """In place of SIGKILL."""


class Work:
    done: list[str]

    def do(self, what: SimpleNamespace) -> None:
        self.done.append(what.name)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    def kill() -> None:
        raise Killed

    monkeypatch.setattr(worker_deaths, "kill_self", kill)
    monkeypatch.setattr(Work, "do", Work.do)  # what is put in its place is taken away again
    work = Work()
    work.done = []
    yield work


def named(name: str) -> SimpleNamespace:
    return SimpleNamespace(name=name)


@pytest.mark.parametrize(("after", "done"), [(False, ["a", "b", "a"]), (True, ["a", "b", "a", "b"])])
def test_at_the_second_call_about_it(tmp_path: Path, work: Work, after: bool, done: list[str]) -> None:
    doom = Doom(tmp_path)
    _die_at(Place(f"{__name__}.Work.do", 2, after, of="b"), lambda: doom.is_at("here"))
    doom.at("here")
    for name in "aba":
        work.do(named(name))
    with pytest.raises(Killed):
        work.do(named("b"))
    assert work.done == done


def test_not_before_it_is_said_nor_elsewhere_nor_afterwards(tmp_path: Path, work: Work) -> None:
    doom = Doom(tmp_path)
    _die_at(Place(f"{__name__}.Work.do"), lambda: doom.is_at("here"))
    work.do(named("a"))
    doom.at("there")
    work.do(named("b"))
    doom.at("here")
    doom.nowhere()
    work.do(named("c"))
    assert work.done == ["a", "b", "c"]
    doom.at("here")
    with pytest.raises(Killed):
        work.do(named("d"))
