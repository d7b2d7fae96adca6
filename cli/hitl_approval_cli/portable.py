"""A synthesized stack as a template that any tool deploys: its code in a bucket of the user's."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hitl_approval.contract import Env

BUCKET: Final = "CodeBucket"
"""The template's parameter that names the bucket."""
FOLDER: Final = "hitl-approval"
"""Where the code is, in the bucket as on disk."""
MAX_BODY: Final = 51_200
"""Bytes of a template that CloudFormation takes in a call; a larger one comes from a bucket."""

_BOOTSTRAP: Final = {"Parameters": "BootstrapVersion", "Rules": "CheckBootstrapVersion"}
"""What CDK checks of its own bucket, which is not used."""
_OF_CDK: Final = ("aws:cdk:", "aws:asset:")
"""Metadata that only CDK's own tools read."""
_SENDING: Final = frozenset({Env.SNS_TOPIC_ARN, Env.PERSONAL_TOPIC_ARN})
"""Functions that have one of these variables write messages."""


@dataclass(frozen=True, slots=True)
class Portable:
    """One stack.

    Attributes:
        template: for CloudFormation; its parameter `CodeBucket` names the bucket.
        files: key in the bucket -> what is there: a file, or a folder to be packed.
    """

    template: Mapping[str, Any]
    files: Mapping[str, Path]

    def write(self, folder: Path) -> list[Path]:
        """Write the template and the code below a folder; the paths written, the template first.

        Raises:
            OSError: the folder cannot be written to.
        """
        written = [folder / "template.json"]
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
        # Without spaces: what is larger than `MAX_BODY` has to come from a bucket too.
        text = json.dumps(self.template, separators=(",", ":"))
        written[0].write_text(text + "\n", encoding="utf-8")
        for key, source in self.files.items():
            target = folder / key
            if source.is_dir():
                _pack(source, target)
            else:
                shutil.copyfile(source, target)
            written.append(target)
        return written


def portable(assembly: Path, stack: str, *, bucket: str | None = None) -> Portable:
    """A stack of a cloud assembly.

    Args:
        assembly: what `cdk synth` wrote.
        stack: the name of the stack's artifact.
        bucket: the default of the parameter that names the bucket. Default: none.
    """
    template = json.loads((assembly / f"{stack}.template.json").read_text(encoding="utf-8"))
    assets = json.loads((assembly / f"{stack}.assets.json").read_text(encoding="utf-8"))["files"]
    files = {}
    keys = {}
    for asset in assets.values():
        [destination] = asset["destinations"].values()
        key = destination["objectKey"]
        if asset["source"]["path"] != f"{stack}.template.json":
            keys[key] = f"{FOLDER}/{key}"
            files[keys[key]] = assembly / asset["source"]["path"]
    for section, name in _BOOTSTRAP.items():
        template.get(section, {}).pop(name, None)
        if not template.get(section):
            template.pop(section, None)
    default = {} if bucket is None else {"Default": bucket}
    parameters = {
        BUCKET: {
            "Type": "String",
            "Description": f"The bucket, of the stack's region, that holds {FOLDER}/*.zip",
            **default,
        }
    }
    template["Parameters"] = parameters | template.get("Parameters", {})
    for resource in template["Resources"].values():
        _forget_cdk(resource)
        _name_the_stack(resource)
    for code in _codes(template["Resources"]):
        code["S3Bucket"], code["S3Key"] = {"Ref": BUCKET}, keys[code["S3Key"]]
    return Portable(template, files)


def _forget_cdk(resource: dict[str, Any]) -> None:
    metadata = resource.pop("Metadata", {})
    kept = {name: value for name, value in metadata.items() if not name.startswith(_OF_CDK)}
    if kept:
        resource["Metadata"] = kept


def _name_the_stack(resource: Mapping[str, Any]) -> None:
    """Let messages name the stack that it becomes: how that is called is not known here."""
    environment = resource.get("Properties", {}).get("Environment", {})
    variables = environment.get("Variables", {})
    if not _SENDING.isdisjoint(variables):
        variables[Env.STACK] = {"Ref": "AWS::StackName"}


def _codes(value: Any) -> Iterator[dict[str, Any]]:
    """Where code is taken from a bucket, at any depth."""
    if isinstance(value, list):
        for each in value:
            yield from _codes(each)
    elif isinstance(value, dict):
        if {"S3Bucket", "S3Key"} <= value.keys():
            yield value
        else:
            yield from _codes(list(value.values()))


def _pack(folder: Path, target: Path) -> None:
    """The same bytes for the same content: sorted, of no date, readable by everyone."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
