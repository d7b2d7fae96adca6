"""What belongs to one option of `HitlApproval` beside its type: rule, default, where it is set."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

from aws_cdk import Duration, Stack, Tokenization

from hitl_approval_cdk.tokens import is_token_in

_EXACT: Final = 2**53
"""Whole numbers below it are written alike by Python and JavaScript; a token's is far above."""

LeftOut = TypeVar("LeftOut")
"""None where a caller may leave the option to its default, Never once that is filled in."""

Rule = Callable[[str, Any], Any]
"""Takes an option's name and the value given; returns the value as it is used, or refuses it.

A refusal is a ValueError whose message names the option, the value and the fix.
"""

Readers = Literal[
    "every function",
    "functions that wait",
    "functions that write requests",
    "approval function",
    "signed-in function",
    "messenger function",
    "sweep function",
    "Slack function",
]
"""Which functions of a deployment have an environment variable: attached ones only wait."""


@dataclass(frozen=True, slots=True)
class ContextKey:
    """A context key of the deployable app by which an option is set.

    Attributes:
        name: of the key.
        read: makes the option's value of what `-c` or `cdk.json` holds; raises ValueError,
            TypeError or KeyError where it cannot.
        takes: what the value must be, to end the sentence "context NAME must be".
        default: the default as the key would give it, for the docs. Default: what the option says.
        differs: whether that is the app's own default, other than the option's.
        field: the field of the option's value that the key sets. Default: the whole value.
        meaning: what it does, for the docs. Default: what the option does.
    """

    name: str
    read: Callable[[Any], Any]
    takes: str
    default: str = ""
    differs: bool = False
    field: str = ""
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class Variable:
    """The environment variable by which functions read an option's value.

    Attributes:
        name: one of `hitl_approval.contract.Env`.
        write: makes the variable's text of the value; tokens pass.
        readers: the functions that have it.
    """

    name: str
    write: Callable[[Stack, Any], str]
    readers: Sequence[Readers] = ("functions that write requests",)


@dataclass(frozen=True, slots=True)
class Option:
    """What belongs to one option beside its name, its type and its sentence in the docs.

    Attributes:
        rule: checks a value.
        default: the value where it is left out. Default: None.
        keys: context keys of the deployable app. Default: none; only an app of your own sets it.
        variable: in the functions' environment. Default: none.
    """

    rule: Rule
    default: Any = None
    keys: Sequence[ContextKey] = ()
    variable: Variable | None = None


def as_text(_: Stack, value: str) -> str:
    """A text as it is."""
    return value


def as_json(stack: Stack, value: Any) -> str:
    """A list or an object."""
    try:
        # As CDK writes it. To have CDK write it is a message to jsii, which only a token needs.
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except TypeError:  # something that only CDK resolves
        return stack.to_json_string(value)
    return stack.to_json_string(value) if is_token_in(text) else text


def as_switch(_: Stack, value: bool) -> str:
    """True or false."""
    return "true" if value else "false"


def in_seconds(_: Stack, value: Duration) -> str:
    """A duration in seconds."""
    return as_number(value.to_seconds())


def each_in_seconds(stack: Stack, value: Sequence[Duration]) -> str:
    """Durations in seconds, as a JSON list."""
    return as_json(stack, [each.to_seconds() for each in value])


def in_days(_: Stack, value: Duration) -> str:
    """A duration in days."""
    return as_number(value.to_days())


def as_number(number: float) -> str:
    """A number, which may be a token."""
    if float(number).is_integer() and abs(number) < _EXACT:
        return str(int(number))
    return Tokenization.stringify_number(number)
