"""The constraint on the references that begin with ``waybill:``; references that people write may repeat."""

from sql.operators import Equal
from trytond.model import Exclude
from trytond.pool import PoolMeta


class Invoice(metaclass=PoolMeta):
    __name__ = "account.invoice"

    @classmethod
    def __setup__(cls):
        super().__setup__()
        table = cls.__table__()
        carries_key = (table.type == "out") & table.reference.like("waybill:%")
        unique = Exclude(table, (table.company, Equal), (table.reference, Equal), where=carries_key)
        cls._sql_constraints.append(
            ("waybill_reference_unique", unique, "waybill_reference.msg_reference_unique")
        )
