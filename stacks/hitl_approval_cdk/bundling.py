"""One Lambda bundle for all functions, made by uv: no Docker, same bytes on every machine.

The bundle is pure Python, and that is checked, so that the same files run on arm64, on x86_64 and
in the local cloud. Of botocore's descriptions of AWS it holds those of the services that our
functions call (`docs/adr/0010-pruned-bundle.md`); the layer, which other people's code imports,
holds all. Its asset hash is made over everything that goes in (lock, architecture, Python version,
recipe, sources), and known before anything is built: a second synth finds the folder of that hash
in `cdk.out` and builds nothing.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal, get_args

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from hitl_approval import contract

RECIPE: Final = "2"
"""Raise it when the way of bundling changes what comes out."""

PYTHON_VERSION: Final = "3.13"
"""Python of the deployed functions (the pattern's); `lambdas.lock` is resolved for it."""

PLATFORMS: Final = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
"""Lambda's architectures as uv names them (AL2023 has glibc 2.34)."""

_KEPT_SERVICES: Final = frozenset({*get_args(contract.AwsService), "sts"})
"""STS is for credentials that botocore itself asks for, by an assumed role say."""

_UV_SECONDS: Final = 600
_NATIVE: Final = frozenset({".so", ".pyd", ".dylib", ".dll"})
# Native code of a package that does the same in Python without it.
_ACCELERATOR: Final = "markupsafe/_speedups.*"
# What installers write about the installation, never read at run time. METADATA stays:
# importlib.metadata reads it.
_NOISE: Final = frozenset(
    {"INSTALLER", "RECORD", "REQUESTED", "WHEEL", "direct_url.json", "uv_cache.json"}
)


class BundlingError(Exception):
    """The bundle could not be made; the message says why in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What goes into the bundle.

    Attributes:
        runtime: the package `hitl_approval`.
        entry_points: the folder that holds one package per function.
        lock: the dependencies, pinned and hashed for the target.
        kind: a layer has no entry points: other people's functions import the runtime from it.
    """

    runtime: Path
    entry_points: Path
    lock: Path
    kind: Literal["functions", "layer"] = "functions"

    @classmethod
    def found(cls) -> Sources:
        """The sources beside this package: as the wheel carries them, else as the checkout does.

        Raises:
            BundlingError: neither is there.
        """
        here = Path(__file__).resolve().parent
        runtime = Path(contract.__file__).resolve().parent
        for entry_points, lock in (
            (here / "_lambdas", here / "_lambdas.lock"),
            (here.parents[1] / "lambdas", here.parents[1] / "lambdas.lock"),
        ):
            if entry_points.is_dir() and lock.is_file():
                return cls(runtime=runtime, entry_points=entry_points, lock=lock)
        msg = f"found no lambdas/ and lambdas.lock for {here}: install hitl-approval again"
        raise BundlingError(msg)

    @property
    def folder(self) -> str:
        """Where in the bundle everything goes: Lambda looks for a layer's Python in `python/`."""
        return "python" if self.kind == "layer" else ""

    def for_layer(self) -> Sources:
        """The same without entry points."""
        return replace(self, kind="layer")

    def files(self) -> Iterator[tuple[str, Path]]:
        """Each source file with its place in the bundle, sorted by place."""
        roots = [self.runtime]
        if self.kind == "functions":
            roots += [path for path in self.entry_points.iterdir() if path.is_dir()]
        for root in sorted(roots, key=lambda path: path.name):
            for path in sorted(root.rglob("*")):
                if path.is_file() and path.suffix != ".pyc" and "__pycache__" not in path.parts:
                    yield f"{root.name}/{path.relative_to(root).as_posix()}", path

    def digest(self, architecture: str) -> str:
        """SHA-256 over every byte that decides what the bundle holds."""
        digest = hashlib.sha256()
        for part in (RECIPE, PYTHON_VERSION, PLATFORMS[architecture], self.folder):
            digest.update(f"{part}\n".encode())
        for place, path in (("lock", self.lock), *self.files()):
            content = path.read_bytes()
            digest.update(f"{place}\n{len(content)}\n".encode())
            digest.update(content)
        return digest.hexdigest()


def code(architecture: lambda_.Architecture, sources: Sources | None = None) -> lambda_.Code:
    """The bundle as the code of any function of this package, or of its layer.

    Args:
        architecture: of the functions; pure Python, but the dependencies are resolved for it.
        sources: what to bundle. Default: what belongs to this package.
    """
    sources = sources or Sources.found()
    return lambda_.Code.from_asset(
        str(sources.runtime),
        display_name=f"hitl-approval {sources.kind}",
        asset_hash=sources.digest(architecture.name),
        asset_hash_type=AssetHashType.CUSTOM,
        bundling=BundlingOptions(
            image=DockerImage.from_registry("hitl-approval-never-uses-docker"),
            local=_UvBundling(sources, architecture.name),
        ),
    )


@jsii.implements(ILocalBundling)
class _UvBundling:
    """What CDK calls when the asset folder of this hash is not there yet."""

    def __init__(self, sources: Sources, architecture: str) -> None:
        self.sources = sources
        self.architecture = architecture

    def try_bundle(self, output_dir: str, *, image: DockerImage, **_: Any) -> bool:  # noqa: ARG002  CDK's signature
        """Make the bundle, or raise: returning False would make CDK start Docker."""
        bundle(self.sources, self.architecture, Path(output_dir, self.sources.folder))
        return True


def bundle(sources: Sources, architecture: str, target: Path) -> None:
    """Install the locked dependencies and copy the sources into an empty folder.

    Raises:
        BundlingError: uv failed, or a dependency is not pure Python.
    """
    _install(sources.lock, architecture, target)
    shutil.rmtree(target / "bin", ignore_errors=True)
    for accelerator in target.glob(_ACCELERATOR):
        accelerator.unlink()
    for path in sorted(target.rglob("*"), reverse=True):
        if path.name == "__pycache__" and path.is_dir():
            shutil.rmtree(path)
        elif path.name in _NOISE and path.parent.suffix == ".dist-info":
            path.unlink()
    (target / ".lock").unlink(missing_ok=True)  # uv's own, while it works
    if sources.kind == "functions":
        _prune(target)
    for place, path in sources.files():
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target / place)
    for path in target.rglob("*"):
        if path.suffix in _NATIVE:
            msg = (
                f"{path.relative_to(target)} is native code, which binds the bundle to one "
                f"architecture: take a pure-Python release in {sources.lock.name}"
            )
            raise BundlingError(msg)
        path.chmod(0o755 if path.is_dir() else 0o644)


def _prune(target: Path) -> None:
    """Drop what describes services that our functions never call.

    The files beside their folders (endpoints, partitions, retries, defaults) are everyone's.
    """
    data = target / "botocore" / "data"
    services = {path.name: path for path in data.iterdir() if path.is_dir()}
    if missing := _KEPT_SERVICES - set(services):
        msg = f"botocore/data has no {', '.join(sorted(missing))}: has botocore moved it?"
        raise BundlingError(msg)
    for name, folder in services.items():
        if name not in _KEPT_SERVICES:
            shutil.rmtree(folder)
    # What boto3.resource is made of, and what only its documentation is: we use clients.
    shutil.rmtree(target / "boto3" / "data", ignore_errors=True)
    for examples in data.rglob("examples-1.json"):
        examples.unlink()


def _install(lock: Path, architecture: str, target: Path) -> None:
    # `sync` installs what the lock lists and resolves nothing: `install` would also hear the
    # overrides and constraints of whatever pyproject.toml is nearest to where `cdk` was typed.
    command = [
        *(_uv(), "pip", "sync", "--quiet", "--no-progress", "--color", "never"),
        *(str(lock), "--require-hashes", "--only-binary", ":all:"),
        *("--target", str(target), "--python", sys.executable),
        *("--python-version", PYTHON_VERSION, "--python-platform", PLATFORMS[architecture]),
        *("--link-mode", "copy", "--no-compile-bytecode"),
    ]
    try:
        with TemporaryDirectory() as folder:
            Path(folder, "uv.toml").touch()  # ends uv's search for settings here
            done = subprocess.run(  # noqa: S603  our own arguments, no shell
                command,
                check=False,
                capture_output=True,
                text=True,
                timeout=_UV_SECONDS,
                cwd=folder,
            )
    except (OSError, subprocess.TimeoutExpired) as error:
        msg = f"uv could not install {lock.name}: {error}"
        raise BundlingError(msg) from error
    if done.returncode != 0:
        reason = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        msg = f"uv could not install {lock.name}: {reason}"
        raise BundlingError(msg)


def _uv() -> str:
    try:
        from uv import find_uv_bin

        return str(find_uv_bin())
    except (ImportError, FileNotFoundError):
        on_path = shutil.which("uv")
        if on_path is None:
            msg = "bundling needs uv: pip install uv"
            raise BundlingError(msg) from None
        return on_path
