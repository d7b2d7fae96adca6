"""Clients of the local cloud: whatever the user's AWS settings are."""

from __future__ import annotations

from pathlib import Path

import pytest

from hitl_approval_cli.commands.local.clients import local_client

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "the-cloud-s",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "eu-central-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:4566",
}


def test_should_read_nothing_of_the_user_s_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\nregion = us-west-2\n[profile real]\nregion = us-west-1\n")
    for profile in ("production", "real"):  # one that no file has, and one that is there
        monkeypatch.setenv("AWS_PROFILE", profile)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the-user-s")
        client = local_client(ENVIRONMENT, "sesv2")
        assert client.meta.region_name == "eu-central-1"
        assert client.meta.endpoint_url == "http://127.0.0.1:4566"
        assert client._request_signer._credentials.access_key == "the-cloud-s"
