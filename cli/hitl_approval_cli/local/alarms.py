"""Alarms on a sum of several metrics, which upstream's CloudFormation refuses."""

from __future__ import annotations

from typing import Any

_OF_NOTHING = {"MetricName": "none", "Namespace": "none"}


def make_alarms_on_sums() -> None:
    """Make alarms with `Metrics` by CloudFormation, in place of failing the whole stack.

    Upstream knows no metric math. Such an alarm is made, described, and never evaluated: it stays
    at INSUFFICIENT_DATA. AWS evaluates it.
    """
    from ministack.services.cloudformation import provisioners

    stock = provisioners._cw_metric_alarm_record

    def record(name: str, properties: dict[str, Any]) -> dict[str, Any]:
        if not properties.get("Metrics"):
            return dict(stock(name, properties))
        plain = {key: value for key, value in properties.items() if key != "Metrics"}
        return dict(stock(name, {**plain, **_OF_NOTHING}))

    provisioners._cw_metric_alarm_record = record
