"""What the gate has to know besides the candidates: the outbox, dead letters, sources, earlier verdicts.

Belongs here: the picture of the state at one moment: from it and the candidates a verdict can be reached again. A decision
keeps what was looked up in it for its own candidate (``facts``), not this picture. No rule stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from state.approvals import Approval
from state.decisions import Decision
from state.rulesets import NOBODY, Approved

Key = tuple[str, int]
"""(business_id, revision)"""


@dataclass(frozen=True)
class Posted:
    """One row of the outbox: how far it is, what it bills."""

    state: str
    content_hash: str
    charge_keys: frozenset[str] = frozenset()


@dataclass(frozen=True)
class BatchSize:
    """How much an earlier run brought: new candidates, and their amount by currency."""

    count: int
    amount: Mapping[str, Decimal]


@dataclass(frozen=True)
class GateContext:
    """The state at the moment of judging.

    ``sources``: the connections besides the ERP on which a candidate rests; a candidate that is not listed
    rests on every connection of ``default_sources``. ``destinations``: ERP connection → does it answer.
    ``rules``: those that are approved; by others nothing is released.
    """

    outbox: Mapping[Key, Posted] = field(default_factory=dict)
    order_letters: Mapping[str, frozenset[str]] = field(default_factory=dict)
    shipment_letters: Mapping[str, frozenset[str]] = field(default_factory=dict)
    stale: Mapping[str, str] = field(default_factory=dict)
    destinations: Mapping[str, bool] = field(default_factory=dict)
    sources: Mapping[str, frozenset[str]] = field(default_factory=dict)
    default_sources: frozenset[str] = frozenset()
    previous: Mapping[Key, Decision] = field(default_factory=dict)
    history: tuple[BatchSize, ...] = ()
    approvals: Mapping[Key, Approval] = field(default_factory=dict)
    rules: Approved = NOBODY
