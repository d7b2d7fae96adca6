"""What the local cloud does not do as AWS's conformance tests require, and why."""

from __future__ import annotations

from collections.abc import Mapping

_LOGS = "the log format JSON is not applied: a function's lines are logged as it prints them"
_DIED = "a process that died is Runtime.HandlerError, in AWS Runtime.ExitError"

KNOWN: Mapping[str, str] = {
    "1-7": _LOGS,
    "1-17": _DIED,
    "1-18": _DIED,
    "3-11": _LOGS,
    "3-17": _LOGS,
    "5-8": "no tenants: a tenant id that a workflow gives is not in its history",
}
"""Requirement -> the difference. `docs/local-cloud.md` lists them for users."""
