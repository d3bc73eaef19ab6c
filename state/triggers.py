"""What the database itself refuses: moves that the state machine has not, and changes of the ledger.

Migrations install these statements, one list per dialect.
"""

from __future__ import annotations

from state.transitions import TRANSITIONS

_ILLEGAL = "illegal outbox transition"
_APPEND_ONLY = "append-only"
_KEPT = {
    "ledger": ("UPDATE", "DELETE"),
    "receipts": ("UPDATE", "DELETE"),
    "gate_decisions": ("UPDATE", "DELETE"),
    "outbox": ("DELETE",),
    "push_attempts": ("DELETE",),
}
"""Which table's rows may never be changed, or never be removed."""


def _legal_moves() -> str:
    return " OR ".join(
        f"(OLD.state = '{before}' AND NEW.state IN ({', '.join(repr(each) for each in sorted(after))}))"
        for before, after in TRANSITIONS.items()
        if after
    )


def sqlite_statements() -> list[str]:
    """Triggers for SQLite."""
    return [
        f"""CREATE TRIGGER outbox_transitions BEFORE UPDATE OF state ON outbox
        WHEN OLD.state <> NEW.state AND NOT ({_legal_moves()})
        BEGIN SELECT RAISE(ABORT, '{_ILLEGAL}'); END""",
        *(
            f"""CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}
            BEGIN SELECT RAISE(ABORT, '{table}: {_APPEND_ONLY}'); END"""
            for table, verbs in _KEPT.items()
            for verb in verbs
        ),
    ]


def postgresql_statements() -> list[str]:
    """The same for PostgreSQL."""
    return [
        f"""CREATE FUNCTION outbox_transitions() RETURNS trigger AS $$ BEGIN
        IF OLD.state <> NEW.state AND NOT ({_legal_moves()}) THEN RAISE EXCEPTION '{_ILLEGAL}'; END IF;
        RETURN NEW; END $$ LANGUAGE plpgsql""",
        """CREATE TRIGGER outbox_transitions BEFORE UPDATE ON outbox
        FOR EACH ROW EXECUTE FUNCTION outbox_transitions()""",
        f"""CREATE FUNCTION kept_for_ever() RETURNS trigger AS $$ BEGIN
        RAISE EXCEPTION '{_APPEND_ONLY}'; END $$ LANGUAGE plpgsql""",
        *(
            f"""CREATE TRIGGER {table}_kept BEFORE {" OR ".join(verbs)} ON {table}
            FOR EACH ROW EXECUTE FUNCTION kept_for_ever()"""
            for table, verbs in _KEPT.items()
        ),
    ]
