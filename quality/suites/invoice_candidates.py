"""The suite of the invoice flow: each check of the index becomes one expectation that carries its rule's code.

Belongs here: how a check is said in Great Expectations, and what the expectations answered. What the answers
mean is decided in ``quality.gate``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quality.rule import Check, Rule
from quality.runtime import ephemeral_context, import_gx, lightened

if TYPE_CHECKING:
    import pandas as pd

NAME = "invoice_candidates"
INDEX = ("business_id", "revision")
_WHETHER = {"result_format": "BASIC"}
_WHICH = {"result_format": "COMPLETE", "unexpected_index_column_names": list(INDEX)}

Key = tuple[str, int]


@dataclass(frozen=True)
class CheckResult:
    """One expectation's answer. ``error`` is set when it could not be made; then the counts mean nothing."""

    code: str
    number: int
    evaluated: int
    failing: frozenset[Key]
    error: str | None


def columns_read(rules: Iterable[Rule]) -> set[str]:
    """Every column that the suite touches: those of its checks, their scopes, and the index."""
    read = set(INDEX)
    for rule in rules:
        for check in rule.checks:
            read.update(check.columns)
            read.update({check.when} if check.when else ())
    return read


def build_suite(rules: Iterable[Rule], name: str = NAME) -> Any:
    """A Great Expectations suite: one expectation per check, with the rule's words for Data Docs."""
    gx = import_gx()
    expectations = [
        _expectation(gx, rule, number, check) for rule in rules for number, check in enumerate(rule.checks)
    ]
    return gx.ExpectationSuite(name=name, expectations=expectations)


def _expectation(gx: Any, rule: Rule, number: int, check: Check) -> Any:
    """The expectation that says ``check``."""
    known = gx.expectations
    scope = f" Asked of rows with `{check.when}`." if check.when else ""
    common: dict[str, Any] = {
        "meta": {"code": rule.code, "number": number, "when": check.when, "columns": list(check.columns)},
        "notes": f"**{rule.code}** ({rule.disposition}): {rule.explanation}{scope}",
    }
    first = check.columns[0]
    if check.kind == "between":
        return known.ExpectColumnValuesToBeBetween(
            column=first,
            min_value=check.minimum,
            max_value=check.maximum,
            strict_min=check.strict,
            **common,
        )
    if check.kind == "equal":
        return known.ExpectColumnPairValuesToBeEqual(
            column_A=first, column_B=check.columns[1], ignore_row_if="neither", **common
        )
    if check.kind == "unique":
        return known.ExpectCompoundColumnsToBeUnique(column_list=list(check.columns), **common)
    if check.kind in {"in_set", "not_in_set"}:
        of = {
            "in_set": known.ExpectColumnValuesToBeInSet,
            "not_in_set": known.ExpectColumnValuesToNotBeInSet,
        }[check.kind]
        return of(column=first, value_set=list(check.values), **common)
    by_kind = {"not_null": known.ExpectColumnValuesToNotBeNull, "null": known.ExpectColumnValuesToBeNull}
    return by_kind[check.kind](column=first, **common)


def run_suite(suite: Any, frame: pd.DataFrame) -> Any:
    """Great Expectations' result of ``suite`` over ``frame``, in a context that leaves nothing behind.

    The rows of a scope are chosen once, with the columns of its checks alone. Great Expectations would choose them for
    each number that it needs of each check, with all columns: nine tenths of its time. And it is asked for the rows that fail
    of those checks alone that some row has failed: it looks for them as long when there are none.
    """
    asset = ephemeral_context().data_sources.add_pandas("candidates").add_dataframe_asset(NAME)
    definition = asset.add_batch_definition_whole_dataframe("all")
    by_scope: defaultdict[str | None, list[Any]] = defaultdict(list)
    for expectation in suite.expectations:
        by_scope[expectation.meta["when"]].append(expectation)
    with lightened():
        results = [
            _validated(definition.get_batch({"dataframe": _rows_of(frame, when, own)}), own)
            for when, own in by_scope.items()
        ]
    answers = [answer for _, own in results for answer in own]
    return _as_one(answers, suite.name, results[0][0])


def _validated(batch: Any, expectations: Sequence[Any]) -> tuple[Any, list[Any]]:
    """What was said of the batch, and the answer of each expectation: with the failing rows where it is not that all is well."""
    asked = import_gx().ExpectationSuite
    whether = batch.validate(asked(name=NAME, expectations=expectations), result_format=_WHETHER)
    found = {_check_of(each.expectation_config): each for each in whether.results if each.success}
    others = [each for each in expectations if _check_of(each) not in found]
    if others:
        which = batch.validate(asked(name=NAME, expectations=others), result_format=_WHICH)
        found |= {_check_of(each.expectation_config): each for each in which.results}
    return whether.meta, [found[check] for check in map(_check_of, expectations) if check in found]


def _check_of(told: Any) -> tuple[str, int]:
    return told.meta["code"], told.meta["number"]


def _rows_of(frame: pd.DataFrame, when: str | None, expectations: Iterable[Any]) -> pd.DataFrame:
    """The rows of a scope. One that the frame does not have gives no columns, so that each check says it was not made."""
    if when is not None and when not in frame.columns:
        return frame[[]]
    read = set(INDEX).union(*(each.meta["columns"] for each in expectations))
    kept = [name for name in frame.columns if name in read]
    return frame[kept] if when is None else frame.loc[frame[when].eq(True), kept].reset_index(drop=True)


def _as_one(answers: Sequence[Any], name: str, meta: Any) -> Any:
    """The answers of the scopes as the one result that Data Docs show."""
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.validator.validation_statistics import calc_validation_statistics

    counted = calc_validation_statistics(answers)
    return ExpectationSuiteValidationResult(
        success=counted.success,
        results=answers,
        suite_name=name,
        statistics={
            "evaluated_expectations": counted.evaluated_expectations,
            "successful_expectations": counted.successful_expectations,
            "unsuccessful_expectations": counted.unsuccessful_expectations,
            "success_percent": counted.success_percent,
        },
        meta=meta,
    )


def read_results(result: Any) -> list[CheckResult]:
    """Every expectation's answer. An exception hidden in a result comes out as ``error``."""
    return [_read(each) for each in result.results]


def _read(each: Any) -> CheckResult:
    meta = each.expectation_config.meta or {}
    code, number = str(meta.get("code", "")), int(meta.get("number", -1))
    error = _exception(each.exception_info)
    answer = each.result or {}
    listed = answer.get("unexpected_index_list") or []
    failing = frozenset((str(row["business_id"]), int(row["revision"])) for row in listed)
    if error is None and "unexpected_count" not in answer:
        error = "the expectation gave no count"
    if error is None and answer["unexpected_count"] != len(listed):
        error = f"{answer['unexpected_count']} failures counted, {len(listed)} named"
    if error is None and bool(each.success) != (not listed):
        error = "success and the failing rows contradict each other"
    return CheckResult(code, number, int(answer.get("element_count") or 0), failing, error)


def _exception(info: Any) -> str | None:
    """The first exception message in an ``exception_info``, which is flat or one level deep."""
    if not isinstance(info, dict):
        return None
    for part in [info, *(value for value in info.values() if isinstance(value, dict))]:
        if part.get("raised_exception"):
            return str(part.get("exception_message") or "an exception without a message")
    return None
