"""What the ending of a call to Tryton proves, and what it does not."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from activation.destinations.base import NotAppliedError, RefusedError, UncertainError
from activation.destinations.tryton_rpc import TrytonRpc
from core.connections import Connection
from core.errors import WaybillError

Answer = Callable[[str], httpx.Response | Exception]
LOCK = '<p>could not obtain lock on row in relation "ir_sequence_strict"</p>'
QUESTION = ["UserWarning", ["99ba69af.invoice_date_future", "The date is in the future.", ""]]
OTHER_QUESTION = ["UserWarning", ["99ba69af.credit_limit", "The credit limit is passed.", ""]]


def result(value: Any) -> httpx.Response:
    return httpx.Response(200, json={"id": 1, "result": value})


def error(*told: Any) -> httpx.Response:
    return httpx.Response(200, json={"id": 1, "error": told})


class Server:
    """Lets everybody in, and answers ``method`` calls in the order given."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        method = json.loads(request.content)["method"]
        self.asked.append(method)
        if method == "common.db.login":
            return result([7, "token", None])
        if method == "model.res.user.get_preferences":
            return result({"language": "en", "companies": [1]})
        if method == "model.res.user.warning.skip":
            return result(None)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def rpc(monkeypatch: pytest.MonkeyPatch) -> Callable[[Server], TrytonRpc]:
    monkeypatch.setenv("T_LOGIN", "waybill")
    monkeypatch.setenv("T_PASSWORD", "canary-password")

    def made(server: Server) -> TrytonRpc:
        connection = Connection(
            connection="erp", kind="erp", adapter="tryton", owner="o", base_url="http://tryton.invalid/db",
            secrets={"login": "T_LOGIN", "password": "T_PASSWORD"},
        )  # fmt: skip
        rpc = TrytonRpc(connection)
        rpc._client = httpx.Client(transport=httpx.MockTransport(server))
        return rpc

    return made


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (httpx.ConnectError("refused"), NotAppliedError),
        (httpx.ReadTimeout("late"), UncertainError),
        (httpx.Response(503, text=LOCK), NotAppliedError),
        (
            httpx.Response(503, text="<p>could not serialize access due to concurrent update</p>"),
            NotAppliedError,
        ),
        (httpx.Response(503, text="<p>no server is available to handle this request</p>"), UncertainError),
        (httpx.Response(503), UncertainError),
        (httpx.Response(429, headers={"Retry-After": "7"}), NotAppliedError),
        (httpx.Response(403), NotAppliedError),
        (httpx.Response(500, text="<p>Internal</p>"), UncertainError),
        (httpx.Response(404), UncertainError),
        (httpx.Response(302, headers={"Location": "/login"}), UncertainError),
        (httpx.Response(200, text="<html>log in</html>"), UncertainError),
        (httpx.Response(200, json={"id": 1}), UncertainError),
        (httpx.Response(200, json=[]), UncertainError),
        (error("UserError", ["Refused.", "", None]), RefusedError),
        (error("ConcurrencyException", "changed meanwhile"), NotAppliedError),
        (error("LoginException", ["code", "", "char"]), NotAppliedError),
        (error("'NoneType' object has no attribute 'id'", ""), UncertainError),
        (error(*OTHER_QUESTION), RefusedError),
        (error(), UncertainError),
    ],
)
def test_a_call_that_changes_something_ends_as_what_is_proven(
    rpc: Callable[[Server], TrytonRpc], answer: httpx.Response | Exception, expected: type[WaybillError]
) -> None:
    with pytest.raises(WaybillError) as caught:
        rpc(Server(answer)).change("model.account.invoice.create", [{}], company=1)
    assert type(caught.value) is expected
    assert "canary" not in str(caught.value)


def test_a_busy_server_that_was_only_asked_has_changed_nothing(rpc: Callable[[Server], TrytonRpc]) -> None:
    with pytest.raises(NotAppliedError):
        rpc(Server(httpx.Response(503))).read("model.account.invoice.search_read", [])


def test_the_wait_is_what_the_server_says(rpc: Callable[[Server], TrytonRpc]) -> None:
    with pytest.raises(NotAppliedError) as caught:
        rpc(Server(httpx.Response(429, headers={"Retry-After": "7"}))).read("model.m.read", [1])
    assert caught.value.retry_after_s == 7


def test_a_question_that_the_gate_has_answered_is_acknowledged_once(
    rpc: Callable[[Server], TrytonRpc],
) -> None:
    server = Server(error(*QUESTION), result([4]))
    assert rpc(server).change("model.account.invoice.post", [4], company=1) == [4]
    assert server.asked[2:] == [
        "model.account.invoice.post", "model.res.user.warning.skip", "model.account.invoice.post",
    ]  # fmt: skip
    with pytest.raises(RefusedError, match="asks before it goes on"):
        rpc(Server(error(*QUESTION), error(*QUESTION))).change("model.account.invoice.post", [4], company=1)


def test_a_session_that_is_over_is_begun_anew_once(rpc: Callable[[Server], TrytonRpc]) -> None:
    server = Server(httpx.Response(401), result([4]))
    assert rpc(server).change("model.account.invoice.create", [{}], company=1) == [4]
    assert server.asked.count("common.db.login") == 2
    with pytest.raises(NotAppliedError, match="credentials"):
        rpc(Server(httpx.Response(401), httpx.Response(401))).read("model.m.read", [1])
