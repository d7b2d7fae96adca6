"""For tests, yours and ours: your durable functions without AWS, and the ports in memory.

```python
# conftest.py, with the extra "testing" installed
pytest_plugins = ["hitl_approval.testing.plugin"]

# test_refund.py
def test_should_refund_what_was_approved(approvals):
    run = approvals.start(handler, {"amount": 70, "customer": "C-1", "agent": "rita"})
    approvals.approve(by="ann")
    assert run.result() == {"refunded": 70}
```
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hitl_approval.testing.memory import (
    FakeExecutions,
    FixedClock,
    InMemoryInbox,
    InMemoryStore,
    RecordingCallbackClient,
    RecordingMeter,
    RecordingNotifier,
    RecordingPublisher,
    World,
    in_memory,
)
from hitl_approval.testing.messages import InMemoryMessages

if TYPE_CHECKING:
    from hitl_approval.testing.approvals import Approvals
    from hitl_approval.testing.run import Run, RunFailed

__all__ = [
    "Approvals",
    "FakeExecutions",
    "FixedClock",
    "InMemoryInbox",
    "InMemoryMessages",
    "InMemoryStore",
    "RecordingCallbackClient",
    "RecordingMeter",
    "RecordingNotifier",
    "RecordingPublisher",
    "Run",
    "RunFailed",
    "World",
    "in_memory",
]


def __getattr__(name: str) -> Any:
    """What needs AWS's local runner is imported on first use only."""
    if name not in {"Approvals", "Run", "RunFailed"}:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    home = "approvals" if name == "Approvals" else "run"
    return getattr(import_module(f"hitl_approval.testing.{home}"), name)
