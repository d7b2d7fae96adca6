"""A plain function."""

from __future__ import annotations

import importlib
import logging
import os
import time
from typing import Any

logger = logging.getLogger("plain")


def handler(event: dict[str, Any], context: Any) -> Any:
    time.sleep(event.get("sleep", 0))
    if "say" in event:
        print(event["say"])  # noqa: T201  a log line
    if "log" in event:
        logger.setLevel("INFO")
        logger.info(event["log"])
    if "import" in event:
        importlib.import_module(event["import"])
    return {"pid": os.getpid(), "environment": dict(os.environ), "got": event}
