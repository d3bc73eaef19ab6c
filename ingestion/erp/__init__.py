"""ERP systems: companies, customers, items, orders, delivery notes and invoices.

    GET /api/resource/…  ─► ingestion/erp/frappe.py ─► landing ─► raw_erp.*
    GET /DB/rest/model/… ─► ingestion/erp/tryton.py ─► landing ─► raw_erp.*

Alone: ``python -m ingestion sandbox_erp``.
"""
