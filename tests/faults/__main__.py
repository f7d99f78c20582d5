"""Print what a run survives, as a table."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import torch

from tests.faults.parts import PARTS


def main() -> int:
    """Measure the parts one after another, and print a table -> 0 where each is what it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="What a run survives, measured.")
    parser.add_argument("--quick", action="store_true", help="fewer trials, in a minute or so")
    parser.add_argument("--only", nargs="+", choices=[part.name for part in PARTS], help="these parts alone")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows, good = list[tuple[str, ...]](), True
    for part in PARTS:
        trials = part.quick if options.quick else part.full
        if trials is None or (options.only and part.name not in options.only):
            continue
        begin = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            outcome = part.measure(Path(folder), trials)
        seconds = f"{time.monotonic() - begin:.0f} s"
        for line in outcome.failures:
            print(f"{part.name}: {line}", flush=True)
        print(f"{part.name}: {outcome} ({seconds})", flush=True)
        rows.append((part.words, part.must, str(outcome)))
        good = good and outcome.good
    print("\n| figure | must | measured |\n| --- | --- | --- |")
    print("\n".join(f"| {' | '.join(row)} |" for row in rows))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
