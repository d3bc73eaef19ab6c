"""``waybill backup`` and ``waybill restore``: what can never be rebuilt, in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.output import emit_json, out
from core.settings import get_settings


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not be there yet.")],
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write state store, landing, evidence and signed heads into one file, while everything goes on running.

    The warehouse is rebuilt from these. The signing key and the secrets of the environment are not in it.
    """
    from state.backup import backup as write

    manifest = write(get_settings(), file)
    size = sum(each.size for each in manifest.files.values())
    if json_output:
        emit_json(
            {"file": str(file), "files": len(manifest.files), "bytes": size, "made_at": manifest.made_at}
        )
    else:
        out.print(f"{file}: {len(manifest.files):,} files, {size:,} bytes.", markup=False)


def restore(
    file: Annotated[
        Path, typer.Argument(help="A file that `waybill backup` wrote.", exists=True, dir_okay=False)
    ],
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Restore a backup into an empty home. What was open then is looked up in the ERP before anything is sent.

    Stop the old installation first: two that push know nothing of each other.
    """
    from state.restore import restore as read

    restored = read(get_settings(), file)
    if json_output:
        emit_json(
            {
                "file": str(file),
                "files": len(restored.manifest.files),
                "made_at": restored.manifest.made_at,
                "doubtful": restored.doubtful,
            }
        )
    else:
        out.print(
            f"{len(restored.manifest.files):,} files of {restored.manifest.made_at:%Y-%m-%d %H:%M} UTC. "
            f"{restored.doubtful:,} open rows are looked up before anything is sent. Next: waybill run",
            markup=False,
        )
