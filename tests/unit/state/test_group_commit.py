"""Who waits for the disk at the same time is served by one commit, and nobody fails for another."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from state.group_commit import GroupCommit


class Disk:
    """Writes numbers; refuses 13. The first write waits until ``go`` is set."""

    def __init__(self) -> None:
        self.commits: list[list[int]] = []
        self.is_writing, self.go = Event(), Event()

    def write(self, numbers: Sequence[int]) -> list[str]:
        self.is_writing.set()
        assert self.go.wait(timeout=30)
        if 13 in numbers:
            raise ValueError("not 13")
        self.commits.append(list(numbers))
        return [f"wrote {number}" for number in numbers]


@pytest.fixture
def disk() -> Disk:
    return Disk()


def test_those_who_come_while_one_is_written_are_written_together(disk: Disk) -> None:
    group = GroupCommit(disk.write)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(group.now, [0])
        assert disk.is_writing.wait(timeout=30)
        others = [pool.submit(group.now, [number]) for number in (1, 2, 3)]
        while len(group._waiting) < 3:
            assert not any(each.done() for each in others)
        disk.go.set()
        assert [each.result() for each in (first, *others)] == [[f"wrote {n}"] for n in range(4)]
    assert [len(each) for each in disk.commits] == [1, 3]


def test_what_can_wait_is_written_with_the_next_that_cannot(disk: Disk) -> None:
    disk.go.set()
    group = GroupCommit(disk.write)
    promised = group.later(1)
    assert (promised.results, disk.commits) == ([], [])
    assert group.now([2]) == ["wrote 2"]
    assert (promised.result(), disk.commits) == ("wrote 1", [[1, 2]])


def test_what_can_wait_is_written_by_a_flush(disk: Disk) -> None:
    disk.go.set()
    group = GroupCommit(disk.write)
    promised = group.later(1)
    group.flush()
    assert promised.result() == "wrote 1"


def test_one_that_is_refused_takes_no_other_with_it(disk: Disk) -> None:
    disk.go.set()
    group = GroupCommit(disk.write)
    good, bad = group.later(1), group.later(13)
    assert group.now([2]) == ["wrote 2"]
    assert good.result() == "wrote 1"
    with pytest.raises(ValueError, match="not 13"):
        bad.result()
    assert disk.commits == [[1], [2]]
