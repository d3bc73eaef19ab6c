"""``waybill up`` ends with everything it started, also when it is killed outright."""

from __future__ import annotations

import signal
from pathlib import Path

import psutil
import pytest

from tests.support.up import LONGEST_S, PARTS, waybill_up, words_of


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "asked"])
def test_nothing_outlives_it(tmp_path: Path, how: signal.Signals) -> None:
    with waybill_up(tmp_path) as up:
        assert len(up.below) > len(PARTS)
        up.process.send_signal(how)
        up.process.wait(timeout=LONGEST_S)
        _, alive = psutil.wait_procs(up.below, timeout=LONGEST_S)
        assert [words_of(each) for each in alive] == []
