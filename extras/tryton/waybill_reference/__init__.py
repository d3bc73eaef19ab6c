"""A module for Tryton 8.2: no two customer invoices of a company carry the same key of Waybill's. See docs/tryton.md."""
