"""A training says at once what it is about to do."""

from __future__ import annotations

import subprocess
import sys

FIRST_WRITE = """
import sys

class Out:
    def write(self, text):
        sys.stderr.write(f"{'torch' in sys.modules}: {text}")
        raise SystemExit

sys.stdout = Out()
from mtrl import train
train.main(sys.argv[1:])
"""


def test_the_first_line_comes_before_torch_is_imported() -> None:
    """Torch takes seconds from a cold disk, and until then nobody would know whether anything happens."""
    command = [sys.executable, "-c", FIRST_WRITE, "--steps-per-task", "2e3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[0] == "False: care on tabletop-50: 2,000 steps per task, then single-task"
