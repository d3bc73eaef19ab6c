"""Which metrics the overview shows, in which order, with which words and targets. No query stands here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

HOUR = 3600.0


@dataclass(frozen=True)
class Metric:
    """One headline. ``target`` is in the metric's own unit; ``better`` says on which side of it is good.

    ``by_maker``: the headline is of Waybill's own invoices, and those made by hand are what it is compared with.
    It does not suit a rate that also counts what nobody has invoiced yet.
    """

    name: str
    label: str
    meaning: str
    better: Literal["lower", "higher"]
    target: float | None = None
    target_p90: float | None = None
    by_maker: bool = False

    def meets(self, value: float | None, p90: float | None = None) -> bool | None:
        """Whether the value, and the p90 where it has a target, are reached; None when nothing can be compared."""
        if value is None or self.target is None:
            return None
        if p90 is not None and self.target_p90 is not None and p90 > self.target_p90:
            return False
        return value <= self.target if self.better == "lower" else value >= self.target


HEADLINES: tuple[Metric, ...] = (
    Metric(
        "pod_to_invoice_s",
        "POD to invoice",
        "From the proof of delivery received to the invoice posted in the ERP, median",
        "lower",
        target=4 * HOUR,
        target_p90=8 * HOUR,
        by_maker=True,
    ),
    Metric(
        "delivery_to_invoice_s",
        "Delivery to invoice",
        "From the delivery itself to the invoice posted, so that late uploads cannot hide, median",
        "lower",
        by_maker=True,
    ),
    Metric(
        "order_to_dispatch_s",
        "Order to dispatch",
        "From the order confirmed to the first departure, median",
        "lower",
    ),
    Metric(
        "release_to_dispatch_s",
        "Release to dispatch",
        "From credit cleared and stock allocated to the first departure, median",
        "lower",
    ),
    Metric("on_time_rate", "On time", "Delivered inside the promised window ÷ delivered", "higher"),
    Metric("in_full_rate", "In full", "Accepted in the ordered quantity ÷ delivered", "higher"),
    Metric("otif_rate", "On time in full", "On time and in full ÷ due", "higher"),
    Metric(
        "first_pass_gate_rate",
        "First-pass gate",
        "Candidates released at their first evaluation ÷ candidates",
        "higher",
    ),
    Metric(
        "same_day_invoice_rate",
        "Same-day invoice",
        "Invoiced on the local day of the proof ÷ proofs",
        "higher",
        target=0.95,
    ),
    Metric(
        "invoice_error_rate",
        "Invoice errors",
        "Invoices later credited or corrected ÷ posted",
        "lower",
        target=0.02,
        by_maker=True,
    ),
)
HEADLINE_VARIANTS = ("default", "first_confirmed", "shipment")
"""Of a metric's variants the one that is meant when nothing is said: the promise first confirmed, per shipment."""
UNBILLED = "unbilled_delivered_amount"
AGE_BUCKETS = ("0-1", "1-3", "3-7", "7+")
BY_NAME = {
    metric.name: metric
    for metric in (
        *HEADLINES,
        Metric(UNBILLED, "Delivered and not billed", "Σ amount delivered and not posted", "lower"),
    )
}
