"""A file in a layer reaches the functions that read it; who changes it publishes new versions."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_

from hitl_approval_cdk.layer_files import give_file
from tests.infra.synth import any_app, of_type, template


def _functions(app: App, content: object) -> Stack:
    stack = Stack(app, "Embedding")
    for name in ("One", "Other"):
        function = lambda_.Function(
            stack,
            name,
            code=lambda_.Code.from_inline("pass"),
            handler="index.handler",
            runtime=lambda_.Runtime.PYTHON_3_13,
        )
        _ = function.current_version
        give_file(function, stack, "People", name="p.json", content=content, description="who")
    return stack


def test_should_be_one_layer_for_all_of_a_scope() -> None:
    app = any_app()
    stack = _functions(app, {"ann": "\u00e4"})
    resources = template(stack)["Resources"]
    [layer] = of_type(resources, "AWS::Lambda::LayerVersion")
    made = of_type(resources, "AWS::Lambda::Function").values()
    assert [function["Layers"] for function in made] == [[{"Ref": layer}]] * 2
    [file] = Path(app.synth().directory).glob("asset.*/python/p.json")
    assert file.read_text("utf-8") == '{\n "ann": "\u00e4"\n}'


def test_should_publish_a_version_when_the_file_changes() -> None:
    def versions(content: object) -> set[str]:
        return set(of_type(template(_functions(any_app(), content))["Resources"], _VERSION))

    assert versions({"ann": 1}) == versions({"ann": 1})
    assert not versions({"ann": 1}) & versions({"ann": 2})


_VERSION = "AWS::Lambda::Version"
