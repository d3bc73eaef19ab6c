"""What can never be rebuilt: dead letters, decisions, outbox, attempts, receipts, ledger.

Belongs here: the one opener, the tables with their migrations, and the few functions that may change them.
Does not belong here: what is decided or sent.
"""
