"""How the durable engine runs what is deployed: handlers, and functions that a workflow invokes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from aws_durable_execution_sdk_python.execution import DurableExecutionInvocationInput
from aws_durable_execution_sdk_python.lambda_service import ErrorObject
from aws_durable_execution_sdk_python_testing.child_dispatcher import (
    ChainedInvokeRequest,
    FunctionConfig,
    FunctionConfigs,
)
from aws_durable_execution_sdk_python_testing.exceptions import ResourceNotFoundException
from aws_durable_execution_sdk_python_testing.invoker import InvokeResponse, LambdaInvoker

from hitl_approval_cli.local import functions
from hitl_approval_cli.local.execution_arn import ExecutionArn
from hitl_approval_cli.local.process import ACCOUNT, REGION


class DeployedInvoker(LambdaInvoker):
    """Runs handlers in this process's own Lambda instead of over HTTP.

    Attributes:
        errors: ARNs of the executions whose last invocation failed, each with what Lambda reported.
    """

    def __init__(self, *, endpoint_url: str, region_name: str) -> None:
        super().__init__(None, endpoint_url=endpoint_url, region_name=region_name)
        self.errors: dict[str, ErrorObject] = {}

    def invoke(  # noqa: PLR0917  upstream's signature
        self,
        function_name: str,  # noqa: ARG002  the ARN says it, with the version
        input: DurableExecutionInvocationInput,  # noqa: A002  upstream's name
        endpoint_url: str | None = None,  # noqa: ARG002
        tenant_id: str | None = None,  # noqa: ARG002
        account_id: str | None = None,  # noqa: ARG002
        region_name: str | None = None,  # noqa: ARG002
    ) -> InvokeResponse:
        """Run the version that the execution is pinned to.

        Raises:
            ResourceNotFoundException: it has been deleted.
            FunctionError: it failed.
        """
        arn = ExecutionArn.parse(input.durable_execution_arn)
        function = functions.find(arn.account, arn.region, arn.function, arn.version)
        if function is None:
            msg = f"Function not found: {arn.function}:{arn.version}"
            raise ResourceNotFoundException(msg)
        try:
            output = functions.run(function, input.to_json_dict())
        except functions.FunctionError as error:
            self.errors[input.durable_execution_arn] = _reported(error.body)
            raise
        return InvokeResponse.from_output(output, str(uuid.uuid4()))


class DeployedFunctions(FunctionConfigs):
    """Says to the engine, for `context.invoke`, which functions exist and which are durable.

    Upstream reads this from a file that is given at the start.
    """

    def lookup(self, function_name: str, qualifier: str | None) -> FunctionConfig | None:
        """A deployed function; None when there is none."""
        function = functions.find(ACCOUNT, REGION, function_name, qualifier)
        if function is None:
            return None
        return FunctionConfig.from_dict({"DurableConfig": function.durable}, function_name)

    def resolve(self, request: ChainedInvokeRequest) -> FunctionConfig | None:
        """The function that a workflow invokes."""
        return self.lookup(request.function_name, request.qualifier)


def _reported(body: Any) -> ErrorObject:
    """What Lambda reports of an invocation that failed."""
    said: Mapping[str, Any] = body if isinstance(body, Mapping) else {"errorMessage": str(body)}
    return ErrorObject(
        message=said.get("errorMessage"),
        type=said.get("errorType"),
        data=None,
        stack_trace=said.get("stackTrace"),
    )
