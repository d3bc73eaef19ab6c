"""Objects an ERP owns: companies, customers, items, orders with lines, delivery notes, invoices."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import model_validator

from contracts.base import (
    ZERO_DECIMAL_CURRENCIES,
    Amount,
    Contract,
    Currency,
    Day,
    Flag,
    Id,
    Instant,
    Quantity,
    Rate,
    Text,
    Whole,
)

OrderStatus = Literal["draft", "confirmed", "cancelled", "closed"]
TimeQuality = Literal["exact", "assumed_zone", "gap", "ambiguous"]


class Company(Contract):
    """A legal entity that invoices."""

    key: ClassVar[tuple[str, ...]] = ("company_id",)

    company_id: Id
    name: Text
    currency: Currency
    time_zone: Id
    country: Text | None = None
    vat_id: Text | None = None
    books_closed_until: Day | None = None


class Customer(Contract):
    """A debtor, with the terms under which it may be invoiced."""

    key: ClassVar[tuple[str, ...]] = ("customer_id",)

    customer_id: Id
    name: Text
    is_active: Flag = True
    is_on_billing_hold: Flag = False
    is_self_billed: Flag = False
    requires_po: Flag = False
    requires_signature: Flag = False
    requires_photo: Flag = False
    allows_partial: Flag = True
    billing_currency: Currency | None = None
    country: Text | None = None
    region: Text | None = None
    vat_id: Text | None = None
    payment_terms: Text | None = None
    bill_to_address: Text | None = None
    credit_limit_amount: Amount | None = None


class CostCentre(Contract):
    """Where a company books what a transport costs."""

    key: ClassVar[tuple[str, ...]] = ("cost_centre_id",)

    cost_centre_id: Id
    company_id: Id | None = None
    name: Text
    is_active: Flag = True


class Item(Contract):
    """Something sold. ``uom`` is the unit its stock is kept in. ``income_account`` holds for every company
    that ``ItemAccount`` says no other for."""

    key: ClassVar[tuple[str, ...]] = ("item_id",)

    item_id: Id
    name: Text
    uom: Id
    income_account: Text | None = None
    weight_kg: Quantity | None = None


class ItemUom(Contract):
    """How many stock units one ``uom`` of an item holds."""

    key: ClassVar[tuple[str, ...]] = ("item_id", "uom")

    item_id: Id
    uom: Id
    factor: Rate


class ItemAccount(Contract):
    """The account to which one company books the sale of an item."""

    key: ClassVar[tuple[str, ...]] = ("item_id", "company_id")

    item_id: Id
    company_id: Id
    income_account: Text | None = None


class TaxCode(Contract):
    """The rate that a tax code stands for today, in percent."""

    key: ClassVar[tuple[str, ...]] = ("tax_code",)

    tax_code: Id
    rate_percent: Quantity


class Order(Contract):
    """A sales order. ``first_promised_at`` is the promise that counts; a ``date`` promise holds to the
    end of that local day and is stored as local midnight at its start. A customer asks for an hour
    (``requested_delivery_at``) or for a day (``requested_delivery_date``), which holds to its end where the
    goods go."""

    key: ClassVar[tuple[str, ...]] = ("order_id",)

    order_id: Id
    customer_id: Id
    currency: Currency
    status: OrderStatus
    ordered_at: Instant
    company_id: Id | None = None
    bill_to_id: Id | None = None
    depot_id: Id | None = None
    time_zone: Id | None = None
    po_no: Text | None = None
    confirmed_at: Instant | None = None
    credit_ok_at: Instant | None = None
    cancelled_at: Instant | None = None
    earliest_release_at: Instant | None = None
    requested_delivery_at: Instant | None = None
    requested_delivery_date: Day | None = None
    promised_from_at: Instant | None = None
    first_promised_at: Instant | None = None
    last_promised_at: Instant | None = None
    promise_precision: Literal["timestamp", "date"] = "timestamp"
    time_quality: TimeQuality = "exact"
    fx_rate: Rate | None = None
    fx_rate_date: Day | None = None
    net_total_amount: Amount | None = None
    tax_total_amount: Amount | None = None
    grand_total_amount: Amount | None = None

    @model_validator(mode="after")
    def _whole_minor_units(self) -> Self:
        if self.currency in ZERO_DECIMAL_CURRENCIES:
            for name in ("net_total_amount", "tax_total_amount", "grand_total_amount"):
                value = getattr(self, name)
                if value is not None and value != value.to_integral_value():
                    raise ValueError(f"{name} {value}: {self.currency} has no minor unit")
        return self


class OrderLine(Contract):
    """One line of a sales order. A return has ``is_return`` and a negative quantity, nothing else has."""

    key: ClassVar[tuple[str, ...]] = ("order_line_id",)

    order_line_id: Id
    order_id: Id
    line_no: Whole
    item_id: Id
    quantity: Quantity
    uom: Id
    unit_price_amount: Amount
    net_amount: Amount
    contract_price_amount: Amount | None = None
    tax_code: Text | None = None
    tax_rate_percent: Quantity | None = None
    is_return: Flag = False

    @model_validator(mode="after")
    def _sign_says_return(self) -> Self:
        if (self.quantity < 0) != self.is_return:
            raise ValueError("a negative quantity is a return, and only a return is negative")
        return self


class DeliveryNote(Contract):
    """The ERP's note that stock was allocated to a shipment."""

    key: ClassVar[tuple[str, ...]] = ("delivery_note_id",)

    delivery_note_id: Id
    order_id: Id
    shipment_id: Id | None = None
    status: Literal["draft", "submitted", "cancelled"]
    allocated_at: Instant


class Invoice(Contract):
    """A customer invoice or credit note as the ERP holds it, whoever made it."""

    key: ClassVar[tuple[str, ...]] = ("invoice_id",)

    invoice_id: Id
    customer_id: Id
    currency: Currency
    status: Literal["draft", "posted", "cancelled"]
    company_id: Id | None = None
    order_id: Id | None = None
    shipment_id: Id | None = None
    po_no: Text | None = None
    is_credit_note: Flag = False
    credited_invoice_id: Id | None = None
    idempotency_key: Id | None = None
    created_at: Instant
    posted_at: Instant | None = None
    issue_date: Day | None = None
    due_date: Day | None = None
    payment_terms: Text | None = None
    net_total_amount: Amount
    tax_total_amount: Amount
    grand_total_amount: Amount


class InvoiceLine(Contract):
    """One line of an ERP invoice."""

    key: ClassVar[tuple[str, ...]] = ("invoice_line_id",)

    invoice_line_id: Id
    invoice_id: Id
    order_line_id: Id | None = None
    item_id: Id
    quantity: Quantity
    uom: Id
    unit_price_amount: Amount
    net_amount: Amount
    tax_code: Text | None = None
    tax_rate_percent: Quantity | None = None
