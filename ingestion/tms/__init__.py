"""Transport management systems: what they expect.

    GET /api/v5/actions ─► ingestion/tms/otm5.py ─► landing ─► raw_tms.eta_predictions

Alone: ``python -m ingestion sandbox_tms``.
"""
