"""A deployment whose workflow function has a layer of its app's, and a function of the app's own.

`LAYER_FOLDER` has the OpenTelemetry plugin and a provider, `CODE_FOLDER` the function's code.
"""

import os

from aws_cdk import App, CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_

from hitl_approval_cdk import HitlApproval

app = App(analytics_reporting=False)
stack = Stack(app, "traced", analytics_reporting=False)
approvals = HitlApproval(stack, "Approvals", removal_policy=RemovalPolicy.DESTROY)
plugin = lambda_.LayerVersion(
    stack, "Plugin", code=lambda_.Code.from_asset(os.environ["LAYER_FOLDER"])
)
variables = {
    "DURABLE_EXECUTION_PLUGINS": "otel-execution",
    "OTEL_PYTHON_TRACER_PROVIDER": "to_log",
}
refund = approvals.function("Refund", handler="asking.handler", entry=os.environ["CODE_FOLDER"])
for function in (approvals.workflow_function, refund):
    function.add_layers(plugin)
    for name, value in variables.items():
        function.add_environment(name, value)
CfnOutput(stack, "RefundArn", value=refund.live.function_arn)
app.synth()
