"""Reads conditions as JSON has them, whoever has written them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from hitl_approval.domain.condition import (
    MAX_DEPTH,
    OPERATORS,
    All,
    Comparison,
    Condition,
    Either,
    Not,
    Operator,
    check_size,
)
from hitl_approval.domain.text import kind


def condition_of(values: Any, where: str = "when") -> Condition:
    """Read back what `Condition.to_json` wrote, or somebody.

    Args:
        values: JSON values.
        where: they stand, for messages.

    Raises:
        ValueError: naming the place and what it must be.
    """
    return check_size(_condition_of(values, where, MAX_DEPTH), where)


def _condition_of(values: Any, where: str, levels: int) -> Condition:
    if not levels:
        msg = f"{where} is nested more than {MAX_DEPTH} deep"
        raise ValueError(msg)
    if not isinstance(values, Mapping):
        msg = f"{where} must be an object, got {kind(values)}"
        raise ValueError(msg)  # noqa: TRY004  one kind of error for all that is malformed
    if "field" in values:
        return _comparison_of(values, where)
    if len(values) != 1 or not values.keys() & {"all", "any", "not"}:
        msg = f"{where} must have field and an operator, or one of all, any and not alone"
        raise ValueError(msg)
    [(how, inner)] = values.items()
    if how == "not":
        return Not(_condition_of(inner, f"{where}.not", levels - 1))
    if not isinstance(inner, list) or not inner:
        msg = f"{where}.{how} must be a list of at least one condition"
        raise ValueError(msg)
    pieces = tuple(
        _condition_of(each, f"{where}.{how}[{number}]", levels - 1)
        for number, each in enumerate(inner)
    )
    return All(pieces) if how == "all" else Either(pieces)


def _comparison_of(values: Mapping[str, Any], where: str) -> Comparison:
    operators = [name for name in values if name != "field"]
    if len(operators) != 1 or operators[0] not in OPERATORS:
        msg = f"{where} must have, beside field, one of {', '.join(OPERATORS)}"
        raise ValueError(msg)
    [operator] = operators
    try:
        return Comparison(values["field"], cast(Operator, operator), values[operator])
    except ValueError as error:
        msg = f"{where}: {error}"
        raise ValueError(msg) from None
