"""What a training holds while it goes: memory, open files, processes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import psutil

import mtrl
from tests.faults.children import Child
from tests.faults.outcome import Measured

TASKS, COPIES, SAMPLES = 10, 10, 50  # of tabletop, of each of its tasks, and looks at the process
WARM = 0.3  # the share of the steps in which what is needed at all is taken
MOST = 1.0  # MB in 100,000 environment steps
LONG = 3600.0  # seconds


def memory(folder: Path, env_steps: int) -> Measured:
    """Train for so many environment steps over all tasks, with a small replay, logs, evaluations and checkpoints."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = folder / "samples.json"
    child = Child(lambda: _train(folder, env_steps // TASKS, samples), folder / "log")
    if child.wait(LONG) != 0:
        return Measured(f"failed: {child.last_line()}", False, [])
    seen = np.array(json.loads(samples.read_text()), dtype=float)
    steps, megabytes, files, processes = seen[seen[:, 0] > WARM * env_steps].T
    slope = float(np.polyfit(steps / 1e5, megabytes, 1)[0])
    constant = len({*files}) == len({*processes}) == 1
    held = "constant" if constant else f"{files.min():g} to {files.max():g}, {processes.min():g} to {processes.max():g}"
    words = f"{slope:+.2f} MB per 100,000 over {env_steps:,} steps, at {megabytes[-1]:.0f} MB; files, processes {held}"
    return Measured(words, slope < MOST and constant, [])


def _train(folder: Path, steps: int, samples: Path) -> int:
    """Train, and write down what was seen of this process: environment steps, MB, open files, children."""
    me, seen = psutil.Process(), list[tuple[float, ...]]()

    def look(status: mtrl.TrainingStatus) -> None:
        held = me.memory_info().rss / 1e6
        seen.append((status.env_steps, held, me.num_fds(), len(me.children(recursive=True))))

    mtrl.learn(
        "tabletop",
        "mtsac",
        callbacks=[mtrl.every(max(steps // SAMPLES, COPIES), look)],
        runs_dir=folder,
        steps_per_task=steps,
        envs_per_task=COPIES,
        replay_per_task=min(2_000, steps // 5),
        random_steps=200,
        batch_per_task=8,
        hidden=(32,),
        threads=1,
        eval_every=min(10_000, steps // 2),  # which a diagnosis goes with; 10,000 as unless told otherwise
        eval_episodes=2,
        log_every=1_000,
        checkpoint_every=2,
    )
    samples.write_text(json.dumps(seen))
    return 0
