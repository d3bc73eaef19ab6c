"""Who sends a webhook's body slowly, unsigned, is counted as one whose signature was none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api import bodies
from api.problems import Problem
from api.rates import Rates
from tests.support.api_world import make_world

HOOK = "/v1/webhooks/motive/fleet"


@pytest.mark.parametrize(("status", "after"), [(408, 429), (400, 401)])
def test_a_body_that_does_not_come_counts_against_its_address(
    _master_key: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, after: int
) -> None:
    world = make_world(tmp_path, rates=Rates(1000, 1000, failures=2))

    async def read(*_: Any) -> bytes:
        raise Problem(status, "no", "no")

    with monkeypatch.context() as patch:
        patch.setattr(bodies, "read", read)
        answers = [world.client.post(HOOK, content=b"{}").status_code for _ in range(2)]
    assert answers == [status, status]
    # The near miss: a body that is no gzip is one mistake among many, and its address goes on.
    assert world.client.post(HOOK, content=b"{}").status_code == after
    world.gateway.close()
