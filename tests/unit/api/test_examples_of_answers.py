"""Each answer has an example that it would give itself, and the published description shows it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator
from pydantic import BaseModel

import contracts
from api import answers

DOCUMENT = json.loads((Path(contracts.__file__).parent / "openapi.json").read_text(encoding="utf-8"))
MODELS = {
    name: each
    for name, each in vars(answers).items()
    if isinstance(each, type) and issubclass(each, answers._Answer) and not name.startswith("_")
}


def example_of(model: type[BaseModel], schema: dict[str, Any]) -> Any:
    """The model's own, or what its fields' make together; a field that may be left out needs none."""
    if "examples" in schema:
        return schema["examples"][0]
    fields = schema["properties"]
    return {name: fields[name]["examples"][0] for name in schema["required"] if "examples" in fields[name]}


@pytest.mark.parametrize("name", MODELS)
def test_an_answer_has_an_example_that_it_would_give(name: str) -> None:
    model, schema = MODELS[name], DOCUMENT["components"]["schemas"][name]
    example = example_of(model, schema)
    if name == "Taken":
        example = example | {"outcome": "accepted"}
    said = json.loads(model.model_validate(example).model_dump_json(exclude_unset=True))
    assert said == example
    reference = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    OAS31Validator(reference).validate(example)
    with pytest.raises(Exception, match="required"):
        OAS31Validator(reference).validate({})
