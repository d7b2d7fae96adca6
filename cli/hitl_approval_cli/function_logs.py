"""What the functions of a deployment have logged about one approval, in the order of time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import ClientError

from hitl_approval.domain.text import shown, spelling
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError, usage
from hitl_approval_cli.functions import find_functions

GROUP: Final = "/aws/lambda/"
"""What the log groups of functions begin with."""
_LOGGED: Final = re.compile(r"\[(?P<level>[A-Z]+)\]\t\S+\t\S*\t(?P<said>.*)", re.DOTALL)
"""A line of Python's logging in Lambda: level, time, request id, and what was said."""
_NOISE: Final = re.compile(r"(?:START|END|REPORT) RequestId: |INIT_START |\{\"_aws\": ")
"""What Lambda itself writes at each invocation, and metrics, which CloudWatch reads."""
_SECRET: Final = re.compile(
    r"(?P<before>/a/|\bBearer\s+|token[\"']?\s*[=:]\s*[\"']?)[A-Za-z0-9_.~+/=-]{12,}"
    r"|\bxox[a-z]-[A-Za-z0-9-]+"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    re.IGNORECASE,
)
"""Tokens of personal links, of sign-ins, of tasks and of Slack, and ids of access keys: none is
logged by our functions, but functions of yours may log what they like."""


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One line of a log.

    Attributes:
        at: when it was logged, in milliseconds since 1970.
        function: by what its function is called; of another log group the group's name.
        message: as it stands there, without what could be a secret.
        event_id: CloudWatch's own, by which it is known again.
    """

    at: int
    function: str
    message: str
    event_id: str

    @property
    def time(self) -> str:
        """When it was logged, as ISO 8601."""
        return datetime.fromtimestamp(self.at / 1000, UTC).isoformat(timespec="milliseconds")

    @property
    def level(self) -> str | None:
        """INFO, say; None where it has none."""
        found = _LOGGED.match(self.message)
        return found and found["level"]

    @property
    def said(self) -> str:
        """What it says, without what Lambda puts before it."""
        found = _LOGGED.match(self.message)
        return (found["said"] if found else self.message).strip()

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "time": self.time,
            "function": self.function,
            "level": self.level,
            "message": self.said,
        }


def find_groups(
    deployment: Deployment, more: Sequence[str] = (), only: str | None = None
) -> Mapping[str, str]:
    """The log groups to read -> what their functions are called.

    Args:
        deployment: whose functions they are, as its stack has them.
        more: log groups of functions of yours that wait for its approvals.
        only: what the one function is called that is read, whatever its case; None: all are.

    Raises:
        CliError: the stack has no function of the name that its output says, or none that is
            called so.
    """
    made = find_functions(deployment)
    wanted = {name for name in made if only is None or spelling(name) == spelling(only)}
    if not wanted:
        ways = ", ".join(sorted(name.lower() for name in made))
        raise usage(f"--function: must be one of {ways}, got {shown(str(only))}")
    found = {GROUP + physical: name for name, physical in made.items() if name in wanted}
    return found | {group: group.removeprefix(GROUP) for group in more}


def read_lines(
    deployment: Deployment, groups: Mapping[str, str], approval_id: str | None, *, since: int
) -> Sequence[Line]:
    """Every line about an approval, oldest first.

    Args:
        deployment: whose account is read.
        groups: log groups, and what their functions are called.
        approval_id: the whole id; None for all lines but Lambda's own and metrics.
        since: milliseconds since 1970.
    """
    client = deployment.client("logs")
    return sorted(
        Line(
            each["timestamp"],
            function,
            _SECRET.sub(_cover, each["message"].rstrip("\n")),
            # The local cloud gives none: there a line is known by its words and its time.
            each.get("eventId") or f"{each['timestamp']} {each['message']}",
        )
        for group, function in groups.items()
        for each in _events(deployment, client, group, approval_id, since)
        if approval_id is not None or not _NOISE.match(each["message"])
    )


def _cover(found: re.Match[str]) -> str:
    return (found["before"] or "") + "***"


def _events(
    deployment: Deployment, client: Any, group: str, approval_id: str | None, since: int
) -> Iterator[Mapping[str, Any]]:
    asked: dict[str, Any] = {"logGroupName": group, "startTime": since}
    if approval_id is not None:
        asked["filterPattern"] = f'"{approval_id}"'
    while True:
        try:
            with deployment.errors():
                answer = client.filter_log_events(**asked)
        except CliError as error:
            if _is_missing(error.__cause__):  # this function has never logged anything
                return
            raise
        yield from answer["events"]
        if not answer.get("nextToken"):
            return
        asked["nextToken"] = answer["nextToken"]


def _is_missing(error: BaseException | None) -> bool:
    if not isinstance(error, ClientError):
        return False
    return bool(error.response["Error"].get("Code") == "ResourceNotFoundException")
