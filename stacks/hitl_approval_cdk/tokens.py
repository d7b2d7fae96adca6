"""Values that only CloudFormation knows, which CDK writes as markers until then."""

from __future__ import annotations

import re
from typing import Any, Final

from aws_cdk import Token

from hitl_approval.domain import text

_MARKER: Final = re.compile(r"'?[$#]\{Token\[[^\]]*(\]\}'?|…|$)|-1\.88\d*e\+289")
"""Of a text, a list and a number; the last may be cut off."""
_NUMBER: Final = re.compile(r"-1\.88\d*e\+289")


def is_token(value: object) -> bool:
    """Whether only CloudFormation knows the value; CDK's own question takes no object of yours."""
    if isinstance(value, list | tuple):
        return all(isinstance(each, str) for each in value) and Token.is_unresolved(list(value))
    known = isinstance(value, str | int | float) or hasattr(value, "creation_stack")
    return known and Token.is_unresolved(value)


def is_token_in(text: str) -> bool:
    """Whether there is a token's marker anywhere in a text, JSON say."""
    return "Token[" in text or _NUMBER.search(text) is not None


def shown(value: Any) -> str:
    """A refused value for a message: in quotes if it is text, "a token" if nobody knows it yet."""
    return "a token" if is_token(value) else _MARKER.sub("a token", text.shown(value))
