"""What the world planted in a document reaches the client as it stands."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.servers import texts


@pytest.mark.parametrize(
    "token", ["NaN", "Infinity", "-Infinity", "1e309", "10.50", "9223372036854775808123", "1e-7"]
)
def test_planted_numbers_are_written_back_as_they_were(token: str) -> None:
    text = f'{{"amount":{token},"name":"x"}}'
    assert texts.dump(texts.parse(text)) == text


def test_a_text_that_looks_like_a_number_stays_a_text() -> None:
    assert texts.dump(texts.parse('{"a":"NaN","b":"10.50"}')) == '{"a":"NaN","b":"10.50"}'


def test_a_token_compares_as_the_number_it_stands_for() -> None:
    parsed = texts.parse('{"rate":19.0,"name":"19.0"}')
    assert texts.number(parsed["rate"]) == 19.0
    assert texts.number(parsed["name"]) == "19.0"


@given(st.dictionaries(st.text(), st.one_of(st.none(), st.booleans(), st.integers(), st.text()), max_size=5))
def test_any_document_survives(document: dict[str, object]) -> None:
    assert json.loads(texts.dump(texts.parse(json.dumps(document)))) == document
