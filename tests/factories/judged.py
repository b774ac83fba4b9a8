"""Documents as strict readers of their kind understand them."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.az import ROOT


def judged(kind: str, text: str) -> Any:
    """What .venvs/reports has to say; it refuses a document that is not of the kind."""
    done = subprocess.run(
        [str(ROOT / ".venvs/reports/bin/python"), str(Path(__file__).parent / "judges.py"), kind],
        input=text.encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)
