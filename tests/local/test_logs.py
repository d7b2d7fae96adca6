"""What a function logs by Python's logging stands in its log as Lambda writes it."""

from __future__ import annotations

import re

from tests.local.harness import Emulator


def test_log_as_lambda_does(stock: Emulator, cloud: Emulator) -> None:
    def logged(emulator: Emulator) -> list[str]:
        function = emulator.deploy("plain.handler")
        function.invoke({"log": "requested approval_id=a"})
        group = f"/aws/lambda/{function.name}"
        events = emulator.client("logs").filter_log_events(
            logGroupName=group, filterPattern='"approval_id=a"'
        )["events"]
        return [event["message"] for event in events]

    assert logged(stock) == []
    [line] = logged(cloud)
    written = r"\[INFO\]\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\t[^\t]*\trequested approval_id=a"
    assert re.fullmatch(written, line.rstrip("\n"))
