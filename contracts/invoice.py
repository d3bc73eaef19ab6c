"""The customer invoice on its way out: the candidate that is judged, and the document that is sent.

``InvoiceCandidate`` is the column list of the dbt model ``invoice_candidates`` and the input of the gate;
``InvoiceDocument`` is what a destination receives. Field names of the document follow EN 16931's terms.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from contracts.base import Amount, Currency, Day, Flag, Id, Instant, Quantity, Rate, Text
from contracts.outbound import OutboundDocument


class InvoiceCandidate(BaseModel):
    """One row a delivered shipment that somebody should bill. Grain: one shipment (invoice group).

    Counts are of lines or documents and never NULL; a NULL anywhere else means *not known*, which a rule
    that needs it treats as a failure.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    # identity
    business_id: Id = Field(description="shipment_id: what one invoice bills")
    revision: int = Field(description="1; rises only after a posted credit note")
    shipment_no: Id = Field(description="the consignment's id in dispatch")
    order_no: Id | None = Field(description="the sales order's id in the ERP; NULL when unknown")
    company_id: Id | None = Field(description="the invoicing company's id in the ERP")
    customer_id: Id | None = Field(description="the customer's id in the ERP, as the order names it")
    pod_id: Id | None = Field(description="the live proof of delivery's id in the POD app")
    erp_connection: Id | None = Field(description="connection the order came from")
    as_of: Instant = Field(description="the instant for which the candidate was computed")
    input_hash: Id = Field(description="SHA-256 over every input of the decision except as_of")
    content_hash: Id = Field(description="SHA-256 over what would be billed: parties, lines, amounts")

    # what would be billed
    currency: Currency | None
    net_total_amount: Amount | None
    tax_total_amount: Amount | None
    grand_total_amount: Amount | None
    line_count: int
    lines_json: Text = Field(description="JSON array of InvoiceDocumentLine, decimals as strings")

    # evidence
    live_pod_count: int = Field(description="PODs neither voided nor superseded")
    conflicting_pod_count: int = Field(description="live PODs that disagree with the chosen one")
    superseded_pod_count: int = Field(description="PODs of this shipment that a newer one replaced")
    is_pod_superseded: Flag = Field(description="the newest POD is superseded and nothing replaced it")
    pod_voided_at: Instant | None = Field(description="set when the only POD was voided")
    pod_outcome: Text | None
    handover_result_status: Text | None = Field(
        description="OTM result of the handOver action; cancelled when dispatch cancelled the consignment"
    )
    pod_order_no: Id | None = Field(description="the order the POD names; NULL when it names none")
    pod_captured_at: Instant | None
    pod_received_at: Instant | None
    departed_at: Instant | None = Field(description="first departure realized")
    delivered_at: Instant | None
    requires_signature: Flag | None
    requires_photo: Flag | None
    sealed_signature_count: int
    sealed_photo_count: int
    evidence_hash_mismatch_count: int
    pod_distance_m: float | None = Field(description="POD place to delivery location, metres")
    has_open_damage: Flag
    time_quality: Text = Field(description="worst of the shipment's times")

    # quantity
    delivered_quantity: Quantity = Field(description="sum over lines, in order units; 0 when none")
    over_delivered_line_count: int = Field(description="lines delivered above what was loaded")
    over_ordered_line_count: int = Field(description="order lines billed in total above ordered")
    short_line_count: int = Field(description="lines delivered below what was loaded")
    allows_partial: Flag | None
    has_line_quantities: Flag | None
    unconvertible_uom_count: int
    foreign_item_count: int = Field(description="delivered items that are not on the order")

    # price, tax, money
    max_price_difference_amount: Amount = Field(description="largest |unit - contract price|; 0 if none")
    max_price_difference_percent: Rate
    unevidenced_charge_count: int
    billing_currency: Currency | None = Field(description="the customer's; NULL means any")
    is_known_currency: Flag = Field(description="in the seed of ISO 4217 currencies")
    company_currency: Currency | None
    fx_rate: Rate | None
    fx_rate_age_days: int | None
    missing_tax_code_count: int
    tax_rate_mismatch_count: int
    vat_id: Text | None
    is_vat_id_valid: Flag | None = Field(description="NULL when there is none")
    lines_net_amount: Amount = Field(description="sum of rounded line net amounts")
    lines_tax_amount: Amount = Field(description="sum over tax rates of rounded tax")
    order_total_difference_amount: Amount = Field(description="|order header - its lines|; 0 if unsaid")
    excess_decimals_count: int = Field(description="order amounts finer than the currency allows")

    # duplicates
    external_invoice_id: Id | None = Field(description="an ERP invoice for this shipment, not ours")
    possible_duplicate_invoice_id: Id | None = Field(
        description="an ERP invoice, not for this shipment, same customer, PO, amount and date"
    )
    is_self_billed: Flag | None

    # ledger and master data
    posting_date: Day = Field(description="as_of in the company's zone")
    delivery_date: Day | None = Field(description="delivered_at in the company's zone")
    books_closed_until: Day | None
    order_status: Text | None
    order_total_amount: Amount | None = Field(description="net total of the order's lines")
    order_invoiced_amount: Amount = Field(description="net already invoiced on the order, not by us")
    customer_is_active: Flag | None = Field(description="NULL when the customer is unknown")
    is_on_billing_hold: Flag | None
    credit_limit_amount: Amount | None
    customer_open_amount: Amount = Field(description="posted and unpaid plus this candidate")
    bill_to_address: Text | None
    payment_terms: Text | None
    requires_po: Flag | None
    po_no: Text | None
    missing_income_account_count: int


class InvoiceDocumentLine(BaseModel):
    """BG-25: one line. ``charge_key`` names what is billed, so that nothing is billed by two invoices."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    line_id: Id
    charge_key: Id
    order_line_id: Id | None
    item_id: Id
    quantity: Decimal
    uom: Id
    net_price: Decimal
    net_amount: Decimal
    tax_code: str | None
    tax_rate_percent: Decimal | None
    income_account: str | None


class InvoiceDocument(OutboundDocument):
    """What is posted."""

    pod_id: Id
    po_no: str | None
    currency: Id
    delivery_date: date | None
    payment_terms: str | None
    net_total_amount: Decimal
    tax_total_amount: Decimal
    grand_total_amount: Decimal
    lines: tuple[InvoiceDocumentLine, ...]


class CreditNoteDocument(InvoiceDocument):
    """A credit note over a whole posted invoice: its lines and totals with the sign turned, and what it reverses.

    ``credited_erp_id`` is the invoice's id in the ERP, ``credited_key`` its idempotency key.
    """

    credited_erp_id: Id
    credited_key: Id
    reason: str
