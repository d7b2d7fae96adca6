"""One check of `hitl doctor`: what was found, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError, NotPermittedError

State = Literal["ok", "wrong", "unknown"]
Found = tuple[State, str, str]
"""The state, what was found in words, and what to do; nothing where nothing is."""
Examine = Callable[[Deployment], Found]


@dataclass(frozen=True)
class Check:
    """One thing that was checked.

    Attributes:
        name: stable, for programs.
        state: `unknown` where it could not be checked.
        found: in words.
        fix: what to do; empty where nothing is.
    """

    name: str
    state: State
    found: str
    fix: str = ""


def check(name: str, deployment: Deployment, examine: Examine) -> Check:
    """Check one thing; what may not be read is unknown, what refuses is wrong."""
    try:
        with deployment.errors():
            state, found, fix = examine(deployment)
    except NotPermittedError as error:
        return Check(name, "unknown", str(error), "ask for the right, or use other credentials")
    except CliError as error:
        return Check(name, "wrong", str(error))
    return Check(name, state, found, fix)
