"""The sandbox as processes: it starts whole or says why not, and leaves nothing behind however it ends."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import httpx
import psutil
import pytest

from sandbox.launch import ready, start
from tests.support.sandbox import SYSTEMS, Running, running_sandbox
from tests.support.tiny_world import ORDERS, SEED


def children(running: Running) -> list[psutil.Process]:
    return [psutil.Process(pid) for pid in running.endpoints["pids"].values()]


def gone(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=10)
    return not [each for each in alive if each.status() != psutil.STATUS_ZOMBIE]


def test_all_answer_and_say_where_they_are(running: Running) -> None:
    written = json.loads((running.home / "sandbox" / "endpoints.json").read_text())
    assert written == running.endpoints
    assert len(set(running.endpoints["pids"].values())) == len(SYSTEMS)
    for system in SYSTEMS:
        health = httpx.get(f"{running.url(system)}/_sandbox/health")
        assert health.json()["system"] == system
        assert health.headers.get_list("date")[0].startswith("Fri, 13 Nov 2026 17:")
        assert len(health.headers.get_list("date")) == 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_ends_its_servers_and_exits_0(tiny_home: Path, how: signal.Signals) -> None:
    process = start(tiny_home, SEED, ORDERS)
    endpoints = ready(process)
    assert endpoints is not None
    servers = [psutil.Process(pid) for pid in endpoints["pids"].values()]
    process.send_signal(how)
    assert process.wait(timeout=15) == 0
    assert gone(servers)


def test_a_killed_sandbox_leaves_no_server(running: Running) -> None:
    servers = children(running)
    os.kill(running.pid, signal.SIGKILL)
    assert gone(servers)


def test_a_dead_server_ends_the_sandbox_with_a_word(tiny_home: Path) -> None:
    process = start(tiny_home, SEED, ORDERS, errors=subprocess.PIPE)
    endpoints = ready(process)
    assert endpoints is not None
    os.kill(endpoints["pids"]["pod"], signal.SIGKILL)
    _, told = process.communicate(timeout=15)
    assert process.returncode == 1
    assert b"pod server died" in told


def test_a_taken_port_is_named_with_the_remedy(tiny_home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(tiny_home, SEED, ORDERS, base_port=port, errors=subprocess.PIPE)
        _, told = process.communicate(timeout=15)
    assert process.returncode == 1
    assert f"Port {port} ".encode() in told
    assert b"--base-port" in told


def test_another_seed_does_not_replace_a_world(tiny_home: Path) -> None:
    process = start(tiny_home, SEED + 1, ORDERS, errors=subprocess.PIPE)
    _, told = process.communicate(timeout=15)
    assert process.returncode == 1
    assert b"another --home" in told


def test_clock_and_invoices_go_on_after_a_restart(tiny_home: Path) -> None:
    url = "/api/resource/Sales Invoice"
    line = {"item_code": "I-1", "qty": 1, "rate": 5}
    given = {"customer": "C-1", "company": "WBDE", "custom_waybill_key": "k", "items": [line]}
    headers = {"Authorization": "token sandbox-erp-key:sandbox-erp-secret"}
    with running_sandbox(tiny_home, ORDERS, SEED, speed=1000) as first:
        made = httpx.post(first.url("erp") + url, json=given, headers=headers).json()["data"]
        os.kill(first.pid, signal.SIGKILL)
        assert gone(children(first))
    with running_sandbox(tiny_home, ORDERS, SEED, speed=1) as second:
        found = httpx.get(f"{second.url('erp')}{url}/{made['name']}", headers=headers)
        again = httpx.post(second.url("erp") + url, json=given, headers=headers)
        assert found.json()["data"] == made
        assert again.status_code == 409
        assert second.endpoints["now"] > first.endpoints["now"]
