"""Secrets of other companies' APIs: a field at a time, read again after a rotation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from hitl_approval.adapters.secrets_manager import KEPT, SecretsManagerSecret
from hitl_approval.domain.errors import Unavailable
from hitl_approval.testing import World
from tests.unit.adapters.failing import Failing, answered


@pytest.fixture
def secrets() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("secretsmanager")


def kept(secrets: Any, world: World, text: str) -> SecretsManagerSecret:
    arn = secrets.create_secret(Name="client", SecretString=text)["ARN"]
    return SecretsManagerSecret(client=secrets, arn=arn, clock=world.clock)


def test_should_read_a_field_again_when_some_minutes_have_passed(
    secrets: Any, world: World
) -> None:
    secret = kept(secrets, world, '{"client_secret": "one"}')
    assert secret.get("client_secret") == "one"
    secrets.put_secret_value(SecretId=secret.arn, SecretString='{"client_secret": "two"}')
    world.clock.advance(KEPT)
    assert secret.get("client_secret") == "one"
    world.clock.advance(timedelta(seconds=1))
    assert secret.get("client_secret") == "two"
    assert "two" not in repr(secret)


@pytest.mark.parametrize("fields", [{}, {"client_secret": ""}, {"client_secret": " "}, {"a": "b"}])
def test_should_know_no_empty_field(secrets: Any, world: World, fields: Any) -> None:
    secret = kept(secrets, world, json.dumps(fields))
    with pytest.raises(Unavailable, match="the secret has no field client_secret"):
        secret.get("client_secret")
    secrets.put_secret_value(SecretId=secret.arn, SecretString='{"client_secret": "now"}')
    assert secret.get("client_secret") == "now"  # at once: somebody has repaired it


@pytest.mark.parametrize("text", ["s3cr3t", "[]", '"s3cr3t"'])
def test_should_say_what_it_must_be_and_not_what_it_is(
    secrets: Any, world: World, text: str
) -> None:
    with pytest.raises(Unavailable, match="is not a JSON object") as raised:
        kept(secrets, world, text).get("client_secret")
    assert "s3cr3t" not in f"{raised.value} {raised.value.details}"


def test_should_be_unavailable_where_it_may_not_be_read(world: World) -> None:
    client = Failing(answered("AccessDeniedException"))
    secret = SecretsManagerSecret(client=client, arn="arn", clock=world.clock)
    with pytest.raises(Unavailable) as raised:
        secret.get("client_secret")
    assert raised.value.details == {"reason": "AccessDeniedException"}
