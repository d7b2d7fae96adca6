"""An agent of one framework as a durable function, deployed: its event says what it does.

What its model and its tools are called for stands in a file, since processes come and go.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aws_durable_execution_sdk_python import DurableContext, durable_execution

from hitl_approval.adapters.requests import RequestFunctionClient
from hitl_approval.agents import allow, run

from .script import Desk, Kit, Says, Script, calls, refund

BEFORE, WITHIN = "between approval and tool", "within the tool"
"""When a scene has its process die."""


class Notes:
    """A file with a line for each thing that was done."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def add(self, line: str) -> None:
        """Note it; one short write, so that threads and processes do not mix theirs."""
        with self.file.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def read(self) -> list[str]:
        """What was done, in order."""
        return self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []


class ScriptOfAScene(Script):
    """A model that makes its calls once, and says at the end what became of them."""

    def __init__(self, first: Says, notes: Notes) -> None:
        super().__init__([first])
        self.notes = notes

    def next(self, answers: list[str]) -> Says:
        """See `Script.next`. A process that comes later has none of an earlier one's memory."""
        self.notes.add("model")
        return Says("done: " + "; ".join(answers)) if answers else self.says[0]


class DeskOfAScene(Desk):
    """Pays, and notes that it did."""

    def __init__(self, notes: Notes, *, dies: bool) -> None:
        super().__init__()
        self.notes = notes
        self.dies = dies

    def refund(self, amount: int, customer: str) -> str:
        """Pay money back to a customer."""
        self.notes.add(f"paid {amount}")
        if self.dies:
            os._exit(1)
        return super().refund(amount, customer)


@contextmanager
def dying(notes: Notes) -> Iterator[None]:
    """The process dies, once, when it has read from the record what people approved."""
    read = RequestFunctionClient.read_context

    def read_context(client: RequestFunctionClient, key: Any) -> str:
        context = read(client, key)
        if "died" not in notes.read():
            notes.add("died")
            os._exit(1)
        return context

    with patch.object(RequestFunctionClient, "read_context", read_context):
        yield


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> Any:
    """Play a scene; without one do what the example does that is deployed beside this."""
    if "notes" not in event:
        return import_module("handler").handler.__wrapped__(event, context)
    notes = Notes(Path(event["notes"]))
    first = calls(*(refund(call_id, amount) for call_id, amount in event["calls"].items()))
    [module] = (path.stem for path in Path(__file__).parent.glob("kit_*.py"))  # one is deployed
    kit: Kit = import_module(f"{__package__}.{module}").MadeKit()
    agent = kit.agent(
        ScriptOfAScene(first, notes), DeskOfAScene(notes, dies=event["dies"] == WITHIN)
    )
    options = {
        "requester": "support-agent",
        "tools": {"read_*": allow()},
        "timeout": timedelta(seconds=event["seconds"]),
        "editable": event["editable"],
    }
    if event["dies"] != BEFORE:
        return run(context, agent, "help C-1", **options)
    with dying(notes):
        return run(context, agent, "help C-1", **options)
