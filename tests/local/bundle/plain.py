"""A plain function."""

from __future__ import annotations

import importlib.util
import logging
import os
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

logger = logging.getLogger("plain")
FOLDER = Path(__file__).parent


def handler(event: dict[str, Any], context: Any) -> Any:
    time.sleep(event.get("sleep", 0))
    if "say" in event:
        print(event["say"])  # noqa: T201  a log line
    if "log" in event:
        logger.setLevel("INFO")
        logger.info(event["log"])
    if "call" in event:
        return call(*event["call"])
    if "fail" in event:
        raise RuntimeError(event["fail"])
    if "import" in event:
        importlib.import_module(event["import"])
    return {
        "pid": os.getpid(),
        "environment": dict(os.environ),
        "got": event,
        "read": (FOLDER / event["read"]).read_text() if "read" in event else None,
        "compiled": os.path.realpath(importlib.util.cache_from_source(__file__)),
    }


def call(service: str, operation: str, fields: dict[str, Any]) -> dict[str, Any]:
    """What AWS answers to a call of this function's; its error where it is one."""
    make: Any = boto3.client
    try:
        getattr(make(service), operation)(**fields)
    except ClientError as error:
        return dict(error.response["Error"])
    return {}
