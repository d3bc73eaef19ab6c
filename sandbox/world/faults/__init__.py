"""Planted faults: each kind on orders of its own, so that it trips exactly the codes it names."""
