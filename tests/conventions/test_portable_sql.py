"""What only DuckDB understands stands in dispatched macros: everything else is SQL that Spark runs as it is.

Read with sqlglot's tokenizer: the models, and the macros that dispatch nothing. What a new adapter has to be given
are then the macros that dispatch, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.tokens import Token, TokenType

PROJECT = Path(__file__).resolve().parents[2] / "dbt_project"
MACRO = re.compile(r"{% (?:macro|test) (\w+)\(.*?%}(.*?){%-? end(?:macro|test) -?%}", re.DOTALL)


def words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


FUNCTIONS = words_of(
    "abs asin ceil coalesce concat cos count current_date date_trunc dense_rank exp first_value floor greatest lag"
    " last_value lead least length lower max max_by min min_by mod nullif pow radians rank replace round row_number sin"
    " sqrt substr sum translate trim try_cast upper cast"
)
"""Functions that DuckDB and Spark both have, with the same arguments."""
BEFORE_A_BRACKET = words_of(
    "and as by case distinct else exists filter from group having in join not on or order over partition select then union"
    " using values when where with within all except intersect"
)
TYPES = words_of("bigint boolean date decimal double integer string timestamp")
"""Types that both know by these words: Spark takes no `varchar` without a length and no `timestamp with time zone`."""
ONLY_DUCKDB = words_of("asof exclude positional qualify summarize unnest")
QUOTED = frozenset({TokenType.STRING, TokenType.IDENTIFIER})


def plain_macros() -> Iterator[tuple[str, str]]:
    """Name and text of every macro that is no adapter's own."""
    for path in sorted((PROJECT / "macros").rglob("*.sql")):
        for name, body in MACRO.findall(path.read_text(encoding="utf-8")):
            if not re.match("(duckdb|spark|default)__", name):
                yield f"{path.stem}.{name}", body


def texts() -> list[tuple[str, str]]:
    models = [(path.stem, path.read_text(encoding="utf-8")) for path in (PROJECT / "models").rglob("*.sql")]
    return [*sorted(models), *plain_macros()]


def without_jinja(text: str) -> str:
    """SQL with a name in place of each expression and a semicolon in place of each statement; comments are gone."""
    text = re.sub(r"{#.*?#}", " ", text, flags=re.DOTALL)
    text = re.sub(r"{%.*?%}", " ; ", text, flags=re.DOTALL)
    return re.sub(r"{{.*?}}", " jinja ", text, flags=re.DOTALL)


def not_portable(text: str) -> list[str]:
    """What Spark would not understand, in the order in which it stands there."""
    tokens = DuckDB().tokenize(without_jinja(text))
    words = [token.text.lower() for token in tokens]
    found = []
    for at, token in enumerate(tokens):
        following = words[at + 1 : at + 3]
        if _is_unknown_function(token, following):
            found.append(f"{words[at]}()")
        elif words[at] in ONLY_DUCKDB and token.token_type not in QUOTED:
            found.append(words[at])
        elif words[at] == "group by" and following[:1] == ["all"]:
            found.append("group by all")
        elif token.token_type in {TokenType.DCOLON, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.ARROW}:
            found.append(token.text)
    return found + [each for each in types_in(words) if each not in TYPES | {"jinja"}]


def _is_unknown_function(token: Token, following: list[str]) -> bool:
    name = token.text.lower()
    return (
        following[:1] == ["("]
        and token.token_type not in QUOTED
        and name.isidentifier()
        and name not in FUNCTIONS | BEFORE_A_BRACKET | TYPES | {"jinja"}
    )


def types_in(words: list[str]) -> list[str]:
    """The type of each cast: the word after the `as` that stands in a cast's own brackets."""
    found, open_casts, depth = [], [], 0
    for at, word in enumerate(words):
        if word == "(":
            depth += 1
            if at and words[at - 1] in {"cast", "try_cast"}:
                open_casts.append(depth)
        elif word == ")":
            if open_casts and open_casts[-1] == depth:
                open_casts.pop()
            depth -= 1
        elif word == "as" and open_casts and open_casts[-1] == depth:
            following = words[at + 1 : at + 5]
            found.append(" ".join(following) if following[1:2] == ["with"] else following[0])
    return found


@pytest.mark.parametrize("name, text", texts(), ids=[name for name, _ in texts()])
def test_what_is_only_duckdb_s_stands_in_a_dispatched_macro(name: str, text: str) -> None:
    assert not_portable(text) == [], f"{name}: put it into a macro that adapter.dispatch chooses"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("select list_sort(a) from {{ ref('x') }}", ["list_sort()"]),
        ("select coalesce(a, {{ epoch_s('b') }}) as list from {{ ref('x') }}", []),
        ("select a from x qualify row_number() over (partition by a order by b) = 1", ["qualify"]),
        ("select row_number() over (partition by a order by b) as qualified, 'qualify' as word from x", []),
        ("select a, count(*) from x group by all", ["group by all"]),
        ("select a, count(*) from x group by a union all select b, 1 from y", []),
        ("select * from x asof join y using (a)", ["asof"]),
        ("select cast(a as hugeint), cast(b as timestamptz) from x", ["hugeint", "timestamptz"]),
        ("select cast(a as varchar), cast(null as string) as varchar from x", ["varchar"]),
        ("select cast(a as decimal(18, 4)) as hugeint, cast(nullif(b, '') as date) from x", []),
        ("select cast(a as timestamp with time zone) from x", ["timestamp with time zone"]),
        ("select cast(a as timestamp) as told, cast(b as {{ type }}) from x", []),
        ("select a from x where {% if y %} true {% else %} (b = 1) {% endif %}", []),
        ("select a from x where {% if y %} true {% else %} isodow(b) = 1 {% endif %}", ["isodow()"]),
        ("select a::int from x", ["::"]),
        ("select [1, 2] as list from x", ["["]),
        ("select 'a::int [1]' as told, \"unnest\" from x -- list_sort(a)", []),
    ],
)
def test_what_counts_as_only_duckdb_s(text: str, found: list[str]) -> None:
    assert not_portable(text) == found
