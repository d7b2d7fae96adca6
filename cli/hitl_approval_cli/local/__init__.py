"""The local cloud: AWS's APIs and AWS's own durable engine, in one process on 127.0.0.1."""

from __future__ import annotations

from hitl_approval_cli.local.process import (
    LocalCloud,
    LocalCloudError,
    invite_person,
    is_local_cloud,
    sent_messages,
    stop_local_cloud,
)
from hitl_approval_cli.local.tools import APP_FOLDER, Tools, ToolsError

__all__ = [
    "APP_FOLDER",
    "LocalCloud",
    "LocalCloudError",
    "Tools",
    "ToolsError",
    "invite_person",
    "is_local_cloud",
    "sent_messages",
    "stop_local_cloud",
]
