"""Reads corpus.yaml: plain YAML, and a tag for each kind of value that cannot be typed out."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from aws_cdk import Duration, RemovalPolicy
from aws_cdk.aws_lambda import Architecture

from hitl_approval_cdk import Quorum, context

Case = dict[str, Any]

TAGS: dict[str, Callable[[Any], Any]] = {
    "!repeat": lambda value: value[0] * value[1],
    "!join": "".join,
    "!digits": lambda count: int("9" * int(count)),
    "!minus-digits": lambda count: -int("9" * int(count)),
    "!people": lambda count: [f"p{number}" for number in range(int(count))],
    "!json": json.dumps,
    "!base64": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "!seconds": lambda count: Duration.seconds(int(count)),
    "!millis": lambda count: Duration.millis(int(count)),
    "!days": lambda count: Duration.days(int(count)),
    "!quorum": lambda count: Quorum("at_least", int(count)),
    "!removal": lambda name: RemovalPolicy[name],
    "!architecture": Architecture.custom,
    "!context-keys": lambda _: ", ".join(context.KEYS),
}


class _Loader(yaml.SafeLoader):
    """YAML's own safe types and the tags above."""

    def tagged(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            self.flatten_mapping(node)  # `<<:`
            value: Any = self.construct_mapping(node, deep=True)
        elif isinstance(node, yaml.SequenceNode):
            value = self.construct_sequence(node, deep=True)
        else:
            assert isinstance(node, yaml.ScalarNode)
            value = self.construct_scalar(node)
        return TAGS[node.tag](value)


for tag in TAGS:
    _Loader.add_constructor(tag, _Loader.tagged)

_CORPUS = yaml.load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"), _Loader)
REFUSED: dict[str, list[Case]] = _CORPUS["refused"]
ACCEPTED: dict[str, list[Case]] = _CORPUS["accepted"]


def refused(*entries: str, only: Callable[[Case], bool] = lambda _: True) -> pytest.MarkDecorator:
    """Run a test once for each refused input of these entry points, as `case`."""
    return _each(case for entry in entries for case in REFUSED[entry] if only(case))


def accepted(entry: str) -> pytest.MarkDecorator:
    """Run a test once for each accepted input of an entry point, as `case`."""
    return _each(ACCEPTED[entry])


def _each(cases: Iterable[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in cases])
