"""ERP: companies, customers, items, orders, delivery notes and invoices into ``raw_erp``.

    GET /api/resource/Sales Order ─► orders, order_lines ─► landing ─► raw_erp

Alone: ``python -m ingestion sandbox_erp``
"""
