"""The digest of a run's weights, recorded with their scores, so that scores of other weights are recognised."""

from __future__ import annotations

from pathlib import Path

from mtrl.checkpoints.folders import digest
from mtrl.runs.folder import WEIGHTS

DIGEST = "weights_sha256"  # its key in the files of mtrl.evaluate


def weights_digest(run: Path) -> dict[str, str]:
    """Return the entry for the weights as they are now; empty if there are none."""
    return {DIGEST: digest(run / WEIGHTS)} if (run / WEIGHTS).is_file() else {}
