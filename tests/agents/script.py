"""What a fake model says, turn by turn, and tools that keep what they were called with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from hitl_approval.agents import approved_call


@dataclass(frozen=True)
class Call:
    """A call that the model makes."""

    id: str
    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Says:
    """One answer of the model: words, and calls or the end."""

    text: str = ""
    calls: tuple[Call, ...] = ()


def calls(*made: Call, text: str = "") -> Says:
    return Says(text, made)


def refund(call_id: str = "c1", amount: int = 70, customer: str = "C-1") -> Call:
    return Call(call_id, "refund", {"amount": amount, "customer": customer})


@dataclass
class Script:
    """A model that says these, and then repeats what the last tools answered.

    Attributes:
        asked: how often the model was called.
        seen: what the tools had answered, as the model was given it, before each answer.
    """

    says: list[Says]
    asked: int = 0
    seen: list[list[str]] = field(default_factory=list)

    def next(self, answers: list[str]) -> Says:
        """The model's answer.

        Args:
            answers: of tools, all that it was given so far.
        """
        self.asked += 1
        self.seen.append(answers)
        if len(self.seen) <= len(self.says):
            return self.says[len(self.seen) - 1]
        return Says("done: " + "; ".join(answers))


@dataclass
class Desk:
    """The tools of the agent, and what they were called with.

    Attributes:
        refunded, read: the calls, in order.
        keys: the idempotency keys that the tool has read.
        breaks: raised by `refund` after it has refunded.
    """

    refunded: list[tuple[int, str]] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    breaks: BaseException | None = None

    def refund(self, amount: int, customer: str) -> str:
        """Pay money back to a customer."""
        call = approved_call()
        self.refunded.append((amount, customer))
        self.keys.append(call.idempotency_key if call else None)
        if self.breaks is not None:
            raise self.breaks
        return f"refunded {amount} to {customer}"

    def read_customer(self, customer: str) -> str:
        """Look a customer up."""
        self.read.append(customer)
        return f"{customer} is known"


class Kit(Protocol):
    """Makes an agent of one framework."""

    edits: bool
    """Whether an approver may change arguments."""

    def agent(self, script: Script, desk: Desk) -> Any:
        """An agent with the tools `refund` and `read_customer` whose model says the script."""
