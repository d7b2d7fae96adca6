"""A client's secret, as an administrator keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from hitl_approval.adapters.secrets_manager import StoredSecret
from hitl_approval.domain.errors import Unavailable


@pytest.fixture
def secrets() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("secretsmanager")


def test_should_read_the_secret_as_it_is_now(secrets: Any) -> None:
    arn = secrets.create_secret(Name="client", SecretString="one")["ARN"]
    stored = StoredSecret(client=secrets, arn=arn)
    assert stored.read() == "one"
    secrets.put_secret_value(SecretId=arn, SecretString="two")
    assert stored.read() == "two"


def test_should_be_unavailable_without_one(secrets: Any) -> None:
    with pytest.raises(Unavailable) as raised:
        StoredSecret(client=secrets, arn="none").read()
    assert raised.value.details == {"reason": "ResourceNotFoundException"}
