"""Assembling the commands, and turning handled errors into exit codes: 1 handled failure, 2 usage."""

from __future__ import annotations

import signal
import sys

import typer

from cli import (
    backup,
    connections,
    contract_docs,
    dead_letter,
    demo,
    docs,
    gate,
    inbox,
    keys,
    kill_switch,
    kpi,
    ledger,
    outbox,
    push,
    query,
    reconcile,
    run,
    trace,
    up,
)
from core.disk import disk_full, is_full
from core.errors import ConfigurationError, WaybillError
from core.settings import get_settings

typer_app = typer.Typer(
    name="waybill",
    help="From the lorry's proof of delivery to the posted invoice, once, with evidence.",
    epilog="Exit code: 0 done, 1 a failure that is told, 2 wrong usage. Data lives in WAYBILL_HOME (default ./data); "
    "which systems are connected says WAYBILL_CONNECTIONS (default connections/sandbox).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
typer_app.command("demo", epilog="Another world: waybill demo --seed 11 --orders 500")(demo.demo)
typer_app.command("run")(run.run)
typer_app.command("push", epilog="First look: waybill push --dry-run")(push.push)
typer_app.command(
    "up", epilog="On other ports: waybill up --base-port 0 --dagster-port 3001 --dashboard-port 8501"
)(up.up)
typer_app.command("kpi", epilog="For instance: waybill kpi pod_to_invoice_s --grain week")(kpi.kpi)
typer_app.command("query", epilog='For instance: waybill query "FROM marts.fct_shipments LIMIT 5"')(
    query.query
)
typer_app.command("trace", epilog="For instance: waybill trace CN-00003-1")(trace.trace)
typer_app.command(
    "reconcile",
    epilog='To accept one difference: waybill reconcile --settle 3f9a --actor controller-2 --reason "billed by hand"',
)(reconcile.reconcile)
typer_app.command("backup", epilog="For instance: waybill backup /media/backup/2026-11-13.tar")(backup.backup)
typer_app.command(
    "restore", epilog="Into an empty home: WAYBILL_HOME=/srv/waybill waybill restore 2026-11-13.tar"
)(backup.restore)
typer_app.add_typer(connections.app, name="connections")
typer_app.add_typer(dead_letter.app, name="dead-letter")
typer_app.add_typer(gate.app, name="gate")
typer_app.add_typer(outbox.app, name="outbox")
typer_app.add_typer(ledger.app, name="ledger")
typer_app.add_typer(kill_switch.app, name="kill-switch")
typer_app.add_typer(keys.app, name="keys")
typer_app.add_typer(inbox.app, name="inbox")
# For those who change the project, in its checkout: hidden from those who run it.
docs.app.command("contracts")(contract_docs.write_contracts)
typer_app.add_typer(docs.app, name="docs", hidden=True)


def app() -> None:
    """The console script. SIGTERM ends a command as Ctrl-C does, so that it stops what it started."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        typer_app(prog_name="waybill")
    except ConfigurationError as error:
        typer.echo(f"waybill: {error}", err=True)
        sys.exit(2)
    except WaybillError as error:
        typer.echo(f"waybill: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("waybill: stopped.", err=True)
        sys.exit(130)
    except Exception as error:
        # Dagster's own files lie on the same disk, and their libraries say it each in words of their own.
        root = get_settings().root
        if not is_full(error, root):
            raise
        typer.echo(f"waybill: {disk_full(root)}", err=True)
        sys.exit(1)
