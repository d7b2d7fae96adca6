"""Clients of the local cloud, which read nothing of the user's own AWS settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

import boto3
from botocore.session import Session

_NOBODYS: Final = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}
"""In place of AWS_PROFILE, say, which may name a profile that no file has."""


def local_client(environment: Mapping[str, str], service: str) -> Any:
    """A client of a service of the local cloud.

    Args:
        environment: by which programs reach the local cloud.
        service: as boto3 names it.
    """
    session: Any = boto3.Session(
        environment["AWS_ACCESS_KEY_ID"],
        environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_REGION"],
        botocore_session=Session(session_vars=_NOBODYS),
    )
    return session.client(service, endpoint_url=environment["AWS_ENDPOINT_URL"])
