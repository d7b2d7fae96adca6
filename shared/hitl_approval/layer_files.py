"""What a deployment knows of its people: files in layers, since variables hold 4 KB in all."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

Made = TypeVar("Made")


def read_layer_file(name: str, made_of: Callable[[Any], Made]) -> Made:
    """What a file says that is where Python finds modules; it holds as long as the process.

    Args:
        name: of the file.
        made_of: makes the value of the file's JSON.

    Raises:
        OSError: no such file.
        ValueError, RecursionError: it is not JSON; and what `made_of` raises.
    """
    return cast("Made", _read(name, made_of))


@cache
def _read(name: str, made_of: Callable[[Any], Any]) -> Any:
    places = (Path(folder, name) for folder in sys.path)
    return made_of(json.loads(next(filter(Path.is_file, places), Path(name)).read_text("utf-8")))
