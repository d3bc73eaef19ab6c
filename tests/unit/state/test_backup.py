"""A backup holds what can never be rebuilt, and is restored whole into an empty home or not at all."""

import io
import json
import stat
import tarfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from cli.main import typer_app
from core.errors import PermanentFailure
from core.settings import Settings
from state import archive, heads, ledger, outbox
from state.backup import backup
from state.engine import HEAD, open_state
from state.home import has_state
from state.outbox_rows import NewEffect
from state.restore import restore
from tests.support.guards import unguarded
from tests.support.postgres import Server

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path, state_url: SecretStr | None) -> Settings:
    settings = Settings(home=tmp_path / "home", state_url=state_url)
    engine = open_state(settings)
    batch(engine)
    landed = settings.landing / "raw_erp" / "orders" / "erp"
    landed.mkdir(parents=True)
    (landed / "1.parquet").write_bytes(b"one")
    (landed / "2.new").write_bytes(b"half")
    sealed = settings.evidence / "ab" / "abc"
    sealed.parent.mkdir(parents=True)
    sealed.write_bytes(b"photo")
    sealed.chmod(0o444)
    settings.warehouse.write_bytes(b"can be rebuilt")
    return settings


@pytest.fixture
def file(home: Settings, tmp_path: Path) -> Path:
    backup(home, tmp_path / "backup.tar")
    return tmp_path / "backup.tar"


@pytest.fixture
def fresh(tmp_path: Path, other_url: SecretStr | None) -> Settings:
    return Settings(home=tmp_path / "fresh", state_url=other_url)


def batch(engine: Engine) -> None:
    with engine.begin() as db:
        ledger.append(db, "sending", "push", "key", {})


def rewritten(file: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The archive as somebody changed it: name → content."""
    with tarfile.open(file) as tar:
        contents = {each.name: tar.extractfile(each).read() for each in tar.getmembers()}  # type: ignore[union-attr]
    change(contents)
    with tarfile.open(file, "w") as tar:
        for name, content in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file


def changed_manifest(contents: dict[str, bytes], **changes: Any) -> None:
    told = json.loads(contents[archive.MANIFEST])
    contents[archive.MANIFEST] = json.dumps(told | changes).encode()


def test_everything_that_can_not_be_rebuilt_comes_back(home: Settings, file: Path, fresh: Settings) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    restored = restore(fresh, file)
    assert set(restored.manifest.files) == {
        "state.sqlite",
        "ledger/heads.jsonl",
        "landing/raw_erp/orders/erp/1.parquet",
        "evidence/ab/abc",
    }
    assert (fresh.landing / "raw_erp/orders/erp/1.parquet").read_bytes() == b"one"
    assert stat.S_IMODE((fresh.evidence / "ab/abc").stat().st_mode) == 0o444
    engine = open_state(fresh)
    assert ledger.verify(engine).problem is None
    assert ledger.hashes_of(engine, {1, 2}) == ledger.hashes_of(open_state(home), {1, 2})
    assert heads.problems(engine, heads.read(fresh.ledger_heads)) == []
    assert not list(fresh.root.glob(".restoring*"))


def test_a_backup_is_taken_while_others_write(home: Settings, tmp_path: Path, fresh: Settings) -> None:
    engine = open_state(home)
    with engine.begin() as db:
        ledger.append(db, "sending", "push", "not committed", {})
        with pytest.MonkeyPatch.context() as patch:
            # Opening and signing wait for the writer, who is this very thread; copying waits for nobody.
            patch.setattr("state.backup.open_state", lambda of: engine if of == home else open_state(of))
            patch.setattr("state.heads.sign", lambda *_: None)
            backup(home, tmp_path / "meanwhile.tar")
    restore(fresh, tmp_path / "meanwhile.tar")
    with open_state(fresh).connect() as db:
        assert db.scalar(text("SELECT count(*) FROM ledger WHERE subject = 'not committed'")) == 0


def test_a_backup_is_never_overwritten(home: Settings, file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(PermanentFailure, match="is there already"):
        backup(home, file)
    assert file.read_bytes() == before


def test_nothing_is_no_backup(fresh: Settings, tmp_path: Path) -> None:
    with pytest.raises(PermanentFailure, match="no state store"):
        backup(fresh, tmp_path / "nothing.tar")
    assert not (tmp_path / "nothing.tar").exists()


@pytest.mark.parametrize("what", ["state.sqlite", "landing/some", "evidence/some", "warehouse.duckdb"])
def test_a_home_that_holds_anything_is_not_restored_over(file: Path, fresh: Settings, what: str) -> None:
    (fresh.root / what).parent.mkdir(parents=True)
    (fresh.root / what).write_bytes(b"live")
    with pytest.raises(PermanentFailure, match="is not empty"):
        restore(fresh, file)
    assert (fresh.root / what).read_bytes() == b"live"
    assert len(list(fresh.root.iterdir())) == 1


def test_an_empty_home_that_is_there_is_restored_into(file: Path, fresh: Settings) -> None:
    fresh.root.mkdir(parents=True)
    restore(fresh, file)
    assert has_state(fresh)


def _other_bytes(contents: dict[str, bytes]) -> None:
    contents["evidence/ab/abc"] = b"pHoto"


def _one_less(contents: dict[str, bytes]) -> None:
    del contents["landing/raw_erp/orders/erp/1.parquet"]


def _one_more(contents: dict[str, bytes]) -> None:
    contents["landing/more.parquet"] = b""


def _no_manifest(contents: dict[str, bytes]) -> None:
    del contents[archive.MANIFEST]


def _leads_out(contents: dict[str, bytes]) -> None:
    told = json.loads(contents[archive.MANIFEST])["files"]
    contents["landing/../../out"] = contents.pop("evidence/ab/abc")
    told["landing/../../out"] = told.pop("evidence/ab/abc")
    changed_manifest(contents, files=told)


def _no_database(contents: dict[str, bytes]) -> None:
    told = json.loads(contents[archive.MANIFEST])["files"]
    del contents["state.sqlite"], told["state.sqlite"]
    changed_manifest(contents, files=told)


@pytest.mark.parametrize(
    "change", [_other_bytes, _one_less, _one_more, _no_manifest, _leads_out, _no_database]
)
def test_a_damaged_archive_restores_nothing(
    file: Path, fresh: Settings, change: Callable[[dict[str, bytes]], None]
) -> None:
    with pytest.raises(archive.Damaged, match="cannot be restored"):
        restore(fresh, rewritten(file, change))
    assert not fresh.root.exists() or list(fresh.root.iterdir()) == []
    assert not (fresh.root.parent / "out").exists()


@pytest.mark.parametrize("left", [0, 100, 0.5, 0.9])
def test_an_archive_that_was_cut_restores_nothing(file: Path, fresh: Settings, left: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(left * len(content)) if left < 1 else int(left)])
    with pytest.raises(archive.Damaged):
        restore(fresh, file)
    assert not fresh.root.exists() or list(fresh.root.iterdir()) == []


def test_a_repacked_archive_is_the_same_backup(file: Path, fresh: Settings) -> None:
    assert restore(fresh, rewritten(file, lambda _: None)).manifest.schema_version == HEAD


def test_another_schema_version_is_refused(file: Path, fresh: Settings) -> None:
    other = rewritten(file, lambda contents: changed_manifest(contents, schema_version="0001"))
    with pytest.raises(PermanentFailure, match="has schema 0001; this Waybill has") as refused:
        restore(fresh, other)
    assert "the version that made it" in refused.value.remedy


def test_a_ledger_that_was_changed_before_is_refused(home: Settings, tmp_path: Path, fresh: Settings) -> None:
    engine = open_state(home)
    heads.sign(home, engine)
    with engine.begin() as db:
        with unguarded(db, "ledger"):
            db.execute(text("UPDATE ledger SET actor = 'nobody' WHERE sequence = 1"))
    backup(home, tmp_path / "changed.tar")
    with pytest.raises(PermanentFailure, match="row 1 was edited"):
        restore(fresh, tmp_path / "changed.tar")
    assert list(fresh.root.iterdir()) == []


def test_both_commands_say_what_they_did(
    home: Settings, fresh: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = str(tmp_path / "by_command.tar")
    monkeypatch.setattr("cli.backup.get_settings", lambda: home)
    made = CliRunner().invoke(typer_app, ["backup", written, "--json"])
    assert (made.exit_code, json.loads(made.stdout)["files"]) == (0, 4)
    assert CliRunner().invoke(typer_app, ["backup", written]).exit_code == 1
    monkeypatch.setattr("cli.backup.get_settings", lambda: fresh)
    read = CliRunner().invoke(typer_app, ["restore", written])
    assert read.exit_code == 0
    assert "0 open rows" in read.stdout
    assert CliRunner().invoke(typer_app, ["restore", written]).exit_code == 1
    assert CliRunner().invoke(typer_app, ["restore", str(tmp_path / "none.tar")]).exit_code == 2


@pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
def test_a_home_is_moved_to_postgresql_and_back_by_its_backup(
    home: Settings, file: Path, postgres: Server, tmp_path: Path
) -> None:
    doubtful = NewEffect(
        company="WBDE", destination="erp", operation="invoice", business_id="S-1", revision=1, shipment_no="S-1",
        decision_id="d", payload=b"\x00{}", payload_hash="p", content_hash="c", input_hash="i",
        amount=Decimal("1.10"), currency="EUR", charge_keys=("S-1|1",),
    )  # fmt: skip
    with open_state(home).begin() as db:
        outbox.enqueue(db, doubtful, NOW)
    backup(home, tmp_path / "there.tar")
    with postgres.database() as url:
        moved = Settings(home=tmp_path / "moved", state_url=url)
        assert restore(moved, tmp_path / "there.tar").doubtful == 1
        engine = open_state(moved)
        (row,) = outbox.rows(engine)
        assert (row.state, row.amount) == ("UNKNOWN", Decimal("1.10"))
        assert outbox.in_doubt(engine, "erp")[0].payload == b"\x00{}"
        assert ledger.verify(engine).problem is None
        assert heads.problems(engine, heads.read(moved.ledger_heads)) == []
        with engine.begin() as db:
            # The database's own numbers go on after those that were copied.
            outbox.enqueue(db, replace(doubtful, business_id="S-2", charge_keys=("S-2|1",)), NOW)
        assert [each.outbox_id for each in outbox.rows(engine)] == [row.outbox_id, row.outbox_id + 1]
        backup(moved, tmp_path / "back.tar")
    back = Settings(home=tmp_path / "back")
    restore(back, tmp_path / "back.tar")
    assert ledger.verify(open_state(back)).problem is None
    assert [each.business_id for each in outbox.rows(open_state(back))] == ["S-1", "S-2"]


@pytest.mark.parametrize("state_url", ["sqlite"], indirect=True)
def test_a_database_that_holds_anything_is_not_restored_into(
    file: Path, postgres: Server, tmp_path: Path
) -> None:
    with postgres.database() as url:
        other = open_state(Settings(home=tmp_path / "other", state_url=url))
        batch(other)
        new = Settings(home=tmp_path / "new", state_url=url)
        with pytest.raises(PermanentFailure, match="is not empty: ledger holds rows"):
            restore(new, file)
        assert not new.root.exists()
        assert ledger.verify(other).rows == 1
