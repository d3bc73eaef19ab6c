"""What a system repeats of our credentials stands in no error of ours."""

from __future__ import annotations

import pytest

from core.connections import Connection
from core.errors import PermanentFailure
from core.hush import hushed
from core.settings import secret, user_name
from ingestion.http import HttpSource


def test_a_secret_that_was_handed_out_is_taken_out_of_every_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", "canary-token-77aa")
    monkeypatch.setenv("A_NAME", "canary-name-77aa")
    assert secret("A_TOKEN").get_secret_value() == "canary-token-77aa"
    assert user_name("A_NAME") == "canary-name-77aa"
    told = PermanentFailure("It says: Bearer canary-token-77aa.", remedy="Renew canary-token-77aa.")
    assert (told.message, told.remedy) == ("It says: Bearer ***.", "Renew ***.")
    assert "canary" not in str(told)
    assert (
        hushed("the user canary-name-77aa and canary-token-77ab")
        == "the user canary-name-77aa and canary-token-77ab"
    )


def test_a_short_one_takes_no_word_out_of_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_SHORT_TOKEN", "run")
    secret("A_SHORT_TOKEN")
    assert PermanentFailure("It did not run.", remedy="Run it.").message == "It did not run."


def test_the_encoded_pair_is_a_secret_too_and_so_is_one_in_an_address() -> None:
    connection = Connection(
        connection="pod", kind="pod", adapter="onfleet", owner="tests",
        base_url="http://anna:canary-address@127.0.0.1:9", secrets={},
    )  # fmt: skip
    source = HttpSource(connection, "Basic Y2FuYXJ5LWtleTo=")
    assert hushed("you sent Y2FuYXJ5LWtleTo=") == "you sent ***"
    with pytest.raises(Exception, match=r"http://127\.0\.0\.1:9/tasks") as failed:
        source.rows("/tasks", {}, "tasks")
    assert "canary" not in str(failed.value)
