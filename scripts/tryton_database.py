"""Makes the Tryton database of the tests: `python scripts/tryton_database.py CONFIGURATION NAME`, in Tryton's environment.

One company with chart, fiscal years and sequences, two taxes, three customers, two products, and the user through whom
Waybill reads and writes. What a test needs beyond that it makes itself, over HTTP.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

ADMIN_PASSWORD = "tests-only-admin"
LOGIN, PASSWORD, KEY = "waybill", "tests-only-password", "tests-only-key"
MODULES = ["account_invoice_stock", "sale"]
GROUPS = ["sale.group_sale", "account.group_account", "stock.group_stock"]
NO_MAIL = b"\n"
SANDBOX_YEAR = 2026
"""The year of the sandbox's documents."""


def main(configuration: str, name: str) -> None:
    create(configuration, name)
    from proteus import config

    config.set_trytond(database=name, config_file=configuration)
    company()
    taxes = {percent: make_tax(percent) for percent in (19, 7)}
    fiscal_years()
    masters(taxes)
    user()


def create(configuration: str, name: str) -> None:
    """The tables of the modules and the administrator, in a database that is there and empty."""
    admin = Path(sys.executable).with_name("trytond-admin")
    with tempfile.TemporaryDirectory() as folder:
        password = Path(folder) / "password"
        password.write_text(ADMIN_PASSWORD, encoding="utf-8")
        subprocess.run(
            [admin, "-c", configuration, "-d", name, "-u", *MODULES, "--activate-dependencies", "--password"],
            env={**os.environ, "TRYTONPASSFILE": str(password)}, input=NO_MAIL, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip


def company() -> None:
    from proteus import Model
    from trytond.modules.account.tests.tools import create_chart
    from trytond.modules.company.tests.tools import create_company

    party = Model.get("party.party")(name="Waybill Transport")
    party.save()
    create_company(party=party, currency="EUR")
    (made,) = Model.get("company.company").find()
    made.timezone = "Europe/Berlin"
    made.save()
    create_chart()


def make_tax(percent: int) -> object:
    from trytond.modules.account.tests.tools import create_tax

    tax = create_tax(Decimal(percent) / 100)
    tax.name = tax.description = f"VAT {percent} %"
    tax.save()
    return tax


def fiscal_years() -> None:
    from trytond.modules.account.tests.tools import create_fiscalyear
    from trytond.modules.account_invoice.tests.tools import set_fiscalyear_invoice_sequences

    this = dt.datetime.now(dt.UTC).year
    for year in sorted({SANDBOX_YEAR, this, this + 1}):
        made = create_fiscalyear(today=(dt.date(year, 1, 1), dt.date(year, 12, 31)))
        set_fiscalyear_invoice_sequences(made).click("create_period")


def masters(tax: dict[int, object]) -> None:
    from proteus import Model
    from trytond.modules.account.tests.tools import get_accounts

    term = Model.get("account.invoice.payment_term")(name="30 days")
    line = term.lines.new(type="remainder")
    line.relativedeltas.new(days=30)
    term.save()
    for number in (1, 2, 3):
        party = Model.get("party.party")(name=f"Customer {number}")
        (address,) = party.addresses
        address.street, address.postal_code, address.city = f"Am Kai {number}", "20457", "Hamburg"
        party.customer_payment_term = term
        party.save()
    accounts = get_accounts()
    (unit,) = Model.get("product.uom").find([("name", "=", "Unit")])
    for code, price, percent in (("PALLET", "10.50", 19), ("BOOK", "8.40", 7)):
        category = Model.get("product.category")(name=code, accounting=True)
        category.account_expense, category.account_revenue = accounts["expense"], accounts["revenue"]
        category.customer_taxes.append(tax[percent])
        category.save()
        template = Model.get("product.template")(name=code.title(), code=code, type="goods", salable=True)
        template.default_uom, template.list_price = unit, Decimal(price)
        template.account_category = category
        template.save()


def user() -> None:
    """A person's rights and no more: none to administer anything."""
    from proteus import Model
    from proteus.config import get_config

    data = Model.get("ir.model.data")
    made = Model.get("res.user")(name="Waybill", login=LOGIN, password=PASSWORD)
    for each in GROUPS:
        made.groups.append(Model.get("res.group")(data.get_id(each, get_config().context)))
    (company,) = Model.get("company.company").find()
    if company not in made.companies:
        made.companies.append(company)
    made.company = company
    made.save()
    Model.get("res.user.application")(user=made, application="rest", key=KEY).save()


if __name__ == "__main__":
    main(*sys.argv[1:])
