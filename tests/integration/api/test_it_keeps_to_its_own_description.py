"""Schemathesis asks every route what its own description allows, and holds every answer to it.

Bodies are generated from the contracts' schemas, so that most messages reach the routes' own checks; webhooks, which need a
signature, are answered 401 and held to that.
"""

from __future__ import annotations

import json
from pathlib import Path

import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import contracts
from tests.support.api_world import World

HOST = {"Host": "localhost"}
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


schema = schemathesis.openapi.from_dict(
    json.loads((Path(contracts.__file__).parent / "openapi.json").read_text(encoding="utf-8"))
)
# Hundreds of edges of each field: those that matter have tests of their own.
schema.config.phases.coverage.enabled = False


@schema.parametrize()
@settings(
    max_examples=10, deadline=None, derandomize=True, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_every_answer_is_one_that_the_description_has(case: schemathesis.Case, world: World) -> None:
    response = case.call("http://localhost", app=world.client.app, headers=HOST | world.key("dispatch_house"))
    case.validate_response(response, checks=CHECKS)
