"""What the vendors' answers must look like: published specifications where we have them, our fixtures elsewhere."""

import gzip
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker
from openapi_schema_validator import OAS30Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT.parent / "shared" / "data" / "contracts"
OTM5 = PUBLISHED / "otm" / "otm-api-v5.6.yaml.gz"
SAMSARA = PUBLISHED / "samsara" / "openapi_2020-06.yaml"
EPCIS = PUBLISHED / "gs1_epcis" / "EPCIS-JSON-Schema.json"
FIXTURES = ROOT / "tests" / "fixtures"
OTM5_NAMES = {
    "locations": "location",
    "vehicles": "vehicle",
    "actors": "actor",
    "trips": "trip",
    "routes": "route",
    "consignments": "consignment",
    "actions": "action",
}


@lru_cache(maxsize=2)
def _schemas(path: Path) -> tuple[dict[str, Any], Any]:
    packed = path.read_bytes()
    document = yaml.load(gzip.decompress(packed) if path.suffix == ".gz" else packed, yaml.CSafeLoader)
    # "Space for any properties" is printed as an object; the standard's own examples have texts there.
    document["components"]["schemas"].pop("unrestricted_json", None)
    document["components"]["schemas"]["unrestricted_json"] = {}
    resource = Resource(contents=document, specification=DRAFT4)
    return document, Registry().with_resource("urn:published", resource)


def published(path: Path, name: str) -> Any:
    """A validator of one schema of a published specification; the test is skipped where the file is absent."""
    if not path.exists():
        pytest.skip(f"the published specification {path.name} is not on this machine")
    document, registry = _schemas(path)
    assert name in document["components"]["schemas"]
    return OAS30Validator({"$ref": f"urn:published#/components/schemas/{name}"}, registry=registry)


def epcis() -> Any:
    """A validator of EPCIS 2.0 documents and events; the test is skipped where the published schema is absent."""
    if not EPCIS.exists():
        pytest.skip(f"the published schema {EPCIS.name} is not on this machine")
    formats = FormatChecker()
    # A word that is none of the vocabulary's is allowed as a URI alone.
    formats.checks("uri")(lambda value: not isinstance(value, str) or ":" in value)
    return Draft7Validator(json.loads(EPCIS.read_text(encoding="utf-8")), format_checker=formats)


def own(system: str, name: str) -> Any:
    """A validator of one of our own fixtures."""
    text = (FIXTURES / system / f"{name}.schema.json").read_text(encoding="utf-8")
    return Draft202012Validator(json.loads(text))


def faults(validator: Any, document: object) -> list[str]:
    """What is wrong with the document, with the place."""
    return [
        f"{'.'.join(map(str, each.absolute_path))}: {each.message[:200]}"
        for each in validator.iter_errors(document)
    ]
