"""Dagster: assets, checks, the one job, its schedule, and what they need to run.

Belongs here: calling the other rooms in the right order and telling Dagster what came of it. Does not
belong here: any rule, mapping, SQL or HTTP call. Heavy libraries are imported inside functions, because
every Dagster process loads this package.
"""
