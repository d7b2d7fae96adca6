"""The workflow function: a durable execution that asks for a document's approval."""

from __future__ import annotations

from typing import Any

from aws_durable_execution_sdk_python import DurableContext, durable_execution

from hitl_approval.durable.document import review_document


@durable_execution
def handler(event: Any, context: DurableContext) -> dict[str, Any]:
    """Ask, wait, answer with the decision."""
    return review_document(event, context)
