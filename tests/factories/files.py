"""Files for tests."""

import json
from pathlib import Path


def write(file: Path, content: object) -> Path:
    """The file, with its folder: a text as it is, anything else as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file
