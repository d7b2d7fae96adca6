"""The document of the JSON API is one: every reference leads somewhere; see also test_json_api."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hitl_approval.http.openapi import document
from hitl_approval.routes import SIGNED_IN_ROUTES


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_should_lead_somewhere_with_every_reference() -> None:
    found = set(references(document()))
    assert found
    for reference in found:
        place: Any = document()
        for name in reference.removeprefix("#/").split("/"):
            place = place[name]


def test_should_have_an_operation_for_each_route_of_the_json_api() -> None:
    written = {
        path: {method.upper() for method in found.keys() - {"parameters"}}
        for path, found in document()["paths"].items()
    }
    wanted = {p: set(m) for p, m in SIGNED_IN_ROUTES.items() if p.startswith("/v1/")}
    assert {path: written.get(path) for path in wanted} == wanted


def test_should_be_json() -> None:
    assert json.loads(json.dumps(document())) == document()
