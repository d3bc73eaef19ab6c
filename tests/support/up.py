"""``waybill up`` as a person starts it, on free ports, for the length of a test.

Belongs here: starting it, waiting for what it starts, and ending it with all below it. What has to hold is the tests'.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import httpx
import psutil
import stamina

from core.settings import ROOT

LONGEST_S = 240
LONGEST_RUN_S = 900
"""For a whole run on a machine that does other things as well."""
PARTS = (
    "sandbox",
    "-m dashboard",
    "-m api",
    "dagster dev",
    "dagster_webserver",
    "dagster._daemon",
    "code-server",
    "orchestration.worker",
)


class NotYet(Exception):
    """Something is not so far."""


patiently = stamina.retry(
    on=(NotYet, httpx.HTTPError), attempts=None, timeout=LONGEST_RUN_S, wait_initial=0.2, wait_max=1
)
"""Ask again until it is so."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(repr=False)
class Up:
    """A running ``waybill up``. ``below``: the processes that were seen under it."""

    home: Path
    process: subprocess.Popen[bytes]
    ports: Mapping[str, int]
    environment: Mapping[str, str]
    below: list[psutil.Process] = field(default_factory=list)

    def url(self, room: str) -> str:
        return f"http://127.0.0.1:{self.ports[room]}"

    @property
    def said(self) -> str:
        """What it told on the terminal."""
        return (self.home / "up.log").read_text(encoding="utf-8")

    def children(self) -> list[psutil.Process]:
        """All processes below it right now."""
        found = psutil.Process(self.process.pid).children(recursive=True)
        self.below += [each for each in found if each not in self.below]
        return found

    def one(self, part: str) -> psutil.Process:
        """The one process below it whose command line has these words; NotYet while there is none."""
        found = [each for each in self.children() if part in words_of(each)]
        if not found:
            raise NotYet(f"nothing runs that is called {part}")
        # A keeper has the words of what it keeps.
        return found[-1]

    def outlived(self, how: signal.Signals) -> list[str]:
        """End it so; the command lines of what it had started and that is there still."""
        self.children()
        assert len(self.below) > len(PARTS)
        self.process.send_signal(how)
        self.process.wait(timeout=LONGEST_S)
        _, alive = psutil.wait_procs(self.below, timeout=LONGEST_S)
        return [words_of(each) for each in alive]

    def sandbox(self) -> dict[str, Any]:
        """Where the sandbox's servers are."""
        told: dict[str, Any] = json.loads(
            (self.home / "sandbox" / "endpoints.json").read_text(encoding="utf-8")
        )
        return told

    def waybill(self, *words: str, said: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """A command on the same installation, while it runs."""
        told = self.sandbox()
        urls = {
            f"SANDBOX_{system.upper()}_URL": told[system]
            for system in ("erp", "dispatch", "telematics", "pod", "depot_pod", "wms", "tms")
        }
        world = {f"SANDBOX_{name.upper()}": told[name] for name in ("go_live_at", "now", "drop")}
        command = [sys.executable, "-m", "cli", *words]
        environment = {**self.environment, **urls, **world}
        return subprocess.run(
            command, cwd=ROOT, env=environment, input=said, capture_output=True, check=False
        )

    def asked(self, query: str, **variables: Any) -> dict[str, Any]:
        """Dagster's answer over GraphQL, as its own pages ask."""
        answer = httpx.post(
            f"{self.url('dagster')}/graphql", json={"query": query, "variables": variables}, timeout=120
        )
        told: dict[str, Any] = answer.raise_for_status().json()
        assert "errors" not in told, told
        data: dict[str, Any] = told["data"]
        return data

    def launch(self, job: str) -> str:
        """Launch a job as Dagster's own pages do; the run's id."""
        found = self._repository()
        selector = {
            "repositoryLocationName": found["location"]["name"],
            "repositoryName": found["name"],
            "jobName": job,
        }
        told = self.asked(_LAUNCH, execution={"selector": selector, "runConfigData": {}})["launchRun"]
        assert told["__typename"] == "LaunchRunSuccess", told
        run_id: str = told["run"]["runId"]
        return run_id

    @patiently
    def _repository(self) -> dict[str, Any]:
        found: list[dict[str, Any]] = self.asked(_REPOSITORIES)["repositoriesOrError"].get("nodes", [])
        if not found:
            raise NotYet("the definitions are not loaded")
        return found[0]

    def runs(self, job: str) -> list[dict[str, Any]]:
        """The runs of a job, the newest first: id, status and tags."""
        found: list[dict[str, Any]] = self.asked(_RUNS, filter={"pipelineName": job})["runsOrError"][
            "results"
        ]
        return found

    @patiently
    def finished(self, job: str, run_id: str) -> str:
        """How a run ended, once it has."""
        (run,) = [each for each in self.runs(job) if each["runId"] == run_id]
        if run["status"] not in {"SUCCESS", "FAILURE", "CANCELED"}:
            raise NotYet(run["status"])
        status: str = run["status"]
        return status


_REPOSITORIES = """
    { repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }
"""
_LAUNCH = """
    mutation Launch($execution: ExecutionParams!) {
      launchRun(executionParams: $execution) {
        __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
      }
    }
"""
_RUNS = """
    query Runs($filter: RunsFilter!) {
      runsOrError(filter: $filter) { ... on Runs { results { runId status tags { key value } } } }
    }
"""


def words_of(process: psutil.Process) -> str:
    """Its command line; nothing of one that has gone meanwhile."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


@contextmanager
def waybill_up(home: Path, environment: Mapping[str, str] | None = None) -> Iterator[Up]:
    """Run it while the block runs; nothing that it started is left afterwards."""
    # With something published there is no first run, which is not what is tried here.
    serving = home / "serving" / "marts.duckdb"
    serving.parent.mkdir(parents=True)
    duckdb.connect(str(serving)).close()
    ports = {"dagster": free_port(), "dashboard": free_port(), "api": free_port()}
    words = ["up", "--orders", "120", "--base-port", "0"]
    for room, port in ports.items():
        words += [f"--{room}-port", str(port)]
    own = {**os.environ, "WAYBILL_HOME": str(home), **(environment or {})}
    with (home / "up.log").open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", *words],
            cwd=ROOT,
            env=own,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            start_new_session=True,
        )
    up = Up(home, process, ports, own)
    try:
        wait_until_up(up)
        yield up
    finally:
        for each in [*(up.children() if process.poll() is None else []), *up.below]:
            if each.is_running():
                each.kill()
        if process.poll() is None:
            process.kill()
        process.wait()


@patiently
def wait_until_up(up: Up) -> None:
    """Return once all of it is there and answers."""
    assert up.process.poll() is None, up.said
    for room, path in (("dagster", "server_info"), ("dashboard", "healthz"), ("api", "healthz")):
        httpx.get(f"{up.url(room)}/{path}").raise_for_status()
    told = " | ".join(words_of(each) for each in up.children())
    if missing := [part for part in PARTS if part not in told]:
        raise NotYet(f"{missing} not in {told}")
