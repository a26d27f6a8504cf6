"""Small files that others read while we write them."""

import json
import os
from pathlib import Path
from typing import Any


def write_private_file(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace the file in one step: a reader sees the old text or the new, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)


def write_json(path: Path, value: object, mode: int = 0o644) -> None:
    """`write`, as JSON."""
    write_private_file(path, json.dumps(value, indent=1) + "\n", mode)


def read_json(path: Path) -> dict[str, Any]:
    """Read what `write_json` wrote; empty if the file does not exist."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return {}
