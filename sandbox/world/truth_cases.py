"""How long cases took, how late they were noticed, and which delays began with wrong data.

Several records of one shipment and one reason are one case while it is open. It is open while any record is worked on
or waits for us; what waits for the customer alone does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sandbox.world.dialects.drop import known
from sandbox.world.happenings import Change, Trouble
from sandbox.world.known import Told
from sandbox.world.model import World
from sandbox.world.moments import NOW
from sandbox.world.truth_numbers import Fact, Subject, at, judged, spent

CRM = "sandbox_crm"
_STATES = {"opened": "open", "reopened": "open", "resumed": "open", "resolved": "resolved"}


def cases(world: World) -> list[list[Trouble]]:
    """The records of each case of which anything is known at NOW."""
    firsts = {each.id: [each] for each in world.troubles if not each.repeats and known(each)}
    for each in world.troubles:
        if each.repeats in firsts and known(each):
            firsts[each.repeats].append(each)
    return list(firsts.values())


def resolving(world: World, subjects: dict[str, Subject]) -> Iterator[Fact]:
    for records in cases(world):
        first = records[0]
        about = subjects[first.shipment.id]
        cuts = {**about.cuts, "connection": CRM, "severity": first.severity, "made_by": None}
        about = Subject(about.zone, cuts)
        opened = min(change.occurred for each in records for change in known(each))
        noticed = min(change.detected for each in records for change in known(each))
        settled, open_s = worked_on(records)
        yield from spent("exception_resolution_s", about, opened, at(settled), measured=(open_s, open_s))
        yield from spent("exception_detection_s", about, opened, at(noticed))


def worked_on(records: list[Trouble]) -> tuple[datetime | None, float]:
    """When the case was settled for good, and the seconds in which it did not wait for the customer."""
    turns = sorted(
        ((change.occurred, nr, change) for nr, each in enumerate(records) for change in known(each)),
        key=lambda turn: turn[:2],
    )
    states, seconds, before, settled = ["resolved"] * len(records), 0.0, None, None
    for moment, nr, change in turns:
        if before and any(state in ("open", "paused") for state in states):
            seconds += (moment - before).total_seconds()
        states[nr], before = _state(change), moment
        settled = moment if set(states) == {"resolved"} else None
    return settled, seconds


def _state(change: Change) -> str:
    if change.word == "paused":
        return "customer" if change.is_for_customer else "paused"
    return _STATES[change.word]


def data_issues(told: Told, about: Subject, causes: dict[str, str]) -> list[Fact]:
    """Delayed or failed, and wrong data were the first thing that anybody recorded; ``causes`` are those."""
    is_failed = told.is_redelivered or _has_failed(told)
    if told.is_cancelled_before_dispatch or not (told.delivered or is_failed or told.is_due):
        return []
    promised_from = told.order.promised_from
    is_early = bool(told.delivered and promised_from and told.delivered < promised_from)
    is_delayed = (told.is_on_time is False and not is_early) or (told.is_due and not told.delivered)
    is_met = (is_failed or is_delayed) and causes.get(told.shipment.id) == "data"
    promised = min(told.order.promised, NOW) if told.is_order_known else NOW
    moment = told.delivered or _attempted(told) or promised
    return judged("data_issue_delay_rate", about, moment, is_met)


def _has_failed(told: Told) -> bool:
    return _attempted(told) is not None


def _attempted(told: Told) -> datetime | None:
    """When it was brought in vain, as far as anybody told."""
    attempt = told.shipment.delivered
    if told.shipment.is_failed and attempt and attempt <= NOW:
        return attempt
    return told.proof.captured if told.proof and told.proof.outcome == "failed" else None
