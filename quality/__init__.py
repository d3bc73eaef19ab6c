"""The gate: which invoice candidates may be sent, and why the others may not.

Belongs here: the rules, the policy, the Great Expectations suites, the verdicts. Great Expectations is
imported inside functions only (it costs seconds), and nowhere outside this package.
"""
