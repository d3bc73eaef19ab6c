"""The exception alert on its way out: the candidate that is judged, and the document that is sent.

``ExceptionAlertCandidate`` is the column list of the dbt model ``exception_alert_candidates``. What it shares with the other
flows' candidates bears the same names, because one frame judges them all. No amounts: it carries no money.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from contracts.base import Day, Flag, Id, Instant, Text
from contracts.outbound import OutboundDocument

ExceptionState = Literal["open", "paused", "resolved"]


class ExceptionAlertCandidate(BaseModel):
    """One row an exception of a shipment, as it stands after all that is known of it. Grain: one record of the source.

    A NULL means *not known*.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    # identity
    business_id: Id = Field(description="surrogate key of the exception's record at its source")
    revision: int = Field(description="how many changes of it are known: it only ever rises")
    shipment_no: Id = Field(description="the consignment's id in dispatch")
    order_no: Id | None = Field(description="the sales order's id in the ERP; NULL when unknown")
    company_id: Id | None = Field(description="the delivering company's id in the ERP")
    customer_id: Id | None = Field(description="the customer's id in the ERP, as the order names it")
    erp_connection: Id | None = Field(description="connection the order came from")
    as_of: Instant = Field(description="the instant for which the candidate was computed")
    input_hash: Id = Field(description="SHA-256 over every input of the decision except as_of")
    content_hash: Id = Field(description="SHA-256 over what would be sent")

    # what would be said
    exception_id: Id = Field(description="the exception's id at its source")
    exception_code: Text | None
    exception_severity: Text | None
    exception_cause: Text | None = Field(description="technical, business or data")
    exception_state: Text | None = Field(description="open, paused or resolved")
    opened_at: Instant | None = Field(description="when it was first opened")
    changed_at: Instant | None = Field(description="when its newest change happened")
    opening_date: Day | None = Field(description="opened_at in the company's zone")

    # to whom
    order_status: Text | None
    customer_is_active: Flag | None = Field(description="NULL when the customer is unknown")


class ExceptionAlertDocument(OutboundDocument):
    """What is sent: how an exception stands. The documents of all its revisions carry one key, that of the first."""

    exception_id: Id
    code: Id
    severity: Literal["low", "medium", "high", "critical"]
    cause_class: Id
    state: ExceptionState
    opened_at: AwareDatetime
