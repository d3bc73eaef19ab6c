"""From other systems to raw tables: adapters, the border, landing, and dlt.

Belongs here: reading, mapping, accepting or refusing rows, loading them. dlt is imported nowhere else.
"""
