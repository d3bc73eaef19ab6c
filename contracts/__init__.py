"""What crosses a border: Pydantic models of every object, and the Arrow schema each one implies.

Belongs here: field names, types, bounds, and the meaning of a value. Does not belong here: where a
value comes from (ingestion), what is done about it (quality, activation), or any import of ours.
"""
