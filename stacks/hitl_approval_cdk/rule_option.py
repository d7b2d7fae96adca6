"""Which value the option `rules` takes: rules, or the same as JSON values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hitl_approval.domain.rule import Rule, Rules
from hitl_approval_cdk.tokens import is_token, shown


def rules(name: str, value: Any) -> Rules:
    """Rules that are known at synth, each as `Rule` or as JSON has it.

    Raises:
        ValueError: something else, naming the rule.
    """
    if isinstance(value, Rules):
        value = value.rules
    if not isinstance(value, list | tuple):
        msg = f'{name} must be a list of Rule("id", when=...), got {shown(value)}'
        raise ValueError(msg)  # noqa: TRY004  one kind of error for all that synth refuses
    found = Rules(
        tuple(
            Rule.from_json(each, f"{name}[{place}]") if isinstance(each, Mapping) else each
            for place, each in enumerate(value)
        )
    )
    for rule in found.rules:
        if any(map(is_token, _values(rule.to_json()))):
            msg = f"{name}: rule {rule.id} must be known at synth, got a token: it is in a file"
            raise ValueError(msg)
    return found


def _values(of: Any) -> Iterator[Any]:
    """Every text and number in JSON values."""
    if isinstance(of, Mapping):
        for inner in of.values():
            yield from _values(inner)
    elif isinstance(of, list):
        for inner in of:
            yield from _values(inner)
    else:
        yield of
