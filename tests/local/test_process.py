"""A caller starts the local cloud, points clients at it and knows whether it runs."""

from __future__ import annotations

import os

import boto3
import pytest

from hitl_approval_cli.local import (
    LocalCloud,
    LocalCloudError,
    is_local_cloud,
    stop_local_cloud,
)


@pytest.mark.parametrize("variable", ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"])
def test_should_point_clients_here_whatever_profile_the_caller_uses(
    running: LocalCloud, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "company")
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    sts = boto3.session.Session().client("sts")
    assert sts.meta.endpoint_url == running.endpoint_url
    assert sts.get_caller_identity()["Account"] == "000000000000"
    assert not any(name.startswith("CDK_") for name in running.environment())


def test_should_know_a_local_cloud_from_another_process() -> None:
    assert not is_local_cloud(os.getpid())
    stop_local_cloud(os.getpid())


def test_should_give_up_when_it_does_not_start_in_time() -> None:
    with pytest.raises(LocalCloudError, match=r"was not ready after 0\.01 s"):
        LocalCloud.start(startup_timeout=0.01)
