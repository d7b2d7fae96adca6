"""What the option `rules` takes."""

from __future__ import annotations

import json

import pytest
from aws_cdk import Aws

from hitl_approval.domain.rule import Rules
from hitl_approval_cdk import Rule, context, field, resolve
from hitl_approval_cdk.ruling import rules_of
from tests.infra.test_ruling import LEADS, RULES


def test_should_take_rules_as_json_too() -> None:
    """So that one file serves the deployment and `hitl policy test`."""
    values = Rules(tuple(RULES)).to_json()
    assert rules_of(resolve({"rules": values, "groups": LEADS})) == Rules(tuple(RULES))
    for given in (values, json.dumps(values)):
        options = context.options({"rules": given, "groups": LEADS})
        assert rules_of(resolve(options)) == Rules(tuple(RULES))


def test_should_refuse_a_value_that_is_not_known_at_synth() -> None:
    rule = Rule("a", when=field("team") == Aws.REGION, approvers=["ann"])
    with pytest.raises(ValueError, match=r"^rules: rule a must be known at synth, got a token"):
        resolve({"rules": [rule]})
