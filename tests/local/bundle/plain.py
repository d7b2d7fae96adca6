"""A plain function."""

from __future__ import annotations

import importlib
import os
import time
from typing import Any


def handler(event: dict[str, Any], context: Any) -> Any:
    time.sleep(event.get("sleep", 0))
    if "say" in event:
        print(event["say"])  # noqa: T201  a log line
    if "import" in event:
        importlib.import_module(event["import"])
    return {"pid": os.getpid(), "environment": dict(os.environ), "got": event}
