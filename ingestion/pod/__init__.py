"""Proof-of-delivery apps: proofs, what was handed over line by line, and the sealed evidence.

    tasks or deliveries ─► ingestion/pod/{onfleet,signed_links}.py ─► landing ─► raw_pod.*
    photos, signatures  ─► ingestion/pod/evidence.py ─► evidence folder, under their SHA-256

Alone: ``python -m ingestion sandbox_pod``.
"""
