"""Evaluate a trained run on fresh seeds: ``python -m mtrl.evaluate RUN``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from mtrl.cli import UsageError, command, parse

if TYPE_CHECKING:
    from mtrl.config import TrainConfig
    from mtrl.scores import Policy

DEFAULT_SEED = 1_000_000


@dataclass(frozen=True)
class EvaluateConfig:
    """Play deterministic episodes of every task of a run on fresh seeds, print the table and write evaluation.json."""

    run: Annotated[Path, tyro.conf.Positional]
    """A run folder, such as runs/tabletop/care/seed0."""
    episodes: int = 50
    """Episodes of each task."""
    seed: int = DEFAULT_SEED
    """Of the environments: fresh starts, unless the run itself had this seed."""
    device: str = "auto"
    """auto, cpu or cuda."""
    record: Path | None = None
    """Write one episode of each task, side by side, to this .gif file."""


def main(arguments: Sequence[str]) -> int:
    """Parse, load, play, print and write."""
    options: EvaluateConfig = parse(EvaluateConfig, "mtrl.evaluate", arguments)
    if options.episodes < 1:
        raise UsageError(f"--episodes is {options.episodes}; it has to be at least 1")
    if options.seed < 0:
        raise UsageError(f"--seed is {options.seed}; it has to be at least 0")
    if options.record is not None and options.record.suffix.lower() != ".gif":
        raise UsageError(f"--record is {str(options.record)!r}; it has to end in .gif")
    return evaluate(options)


def evaluate(options: EvaluateConfig) -> int:
    """Play the episodes and write what came of them into the run folder."""
    import dataclasses
    import json

    from rich.console import Console

    from mtrl.assemble import device_of, suite_of
    from mtrl.runs import read_run
    from mtrl.scores import Scorer, scores_to_json
    from mtrl.tables import comparison_table

    config, _ = read_run(options.run)
    config = dataclasses.replace(config, device=options.device)
    suite, device = suite_of(config), device_of(config)
    policy = load_policy(options.run, config)
    scorer = Scorer(suite, options.episodes, options.seed, device)
    scores = scores_to_json(scorer.score(policy))
    scorer.close()
    result = {"suite": suite.name, "agent": config.agent, "seed": options.seed, **scores}
    try:
        (options.run / "evaluation.json").write_text(json.dumps(result, indent=2) + "\n")
    except OSError as error:
        raise UsageError(f"{options.run / 'evaluation.json'} cannot be written: {error.strerror}") from None
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    console.print(comparison_table([result]))
    if options.record is not None:
        from mtrl.record import record_gif

        record_gif(suite, policy, options.record, options.seed, device)
        console.print(f"one episode of each task: {options.record}")
    return 0


def load_policy(path: Path, config: TrainConfig[Any]) -> Policy:
    """Return the deterministic policy whose weights lie in a run folder. Raises ``UsageError`` where there are none."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from agents.presets import PRESETS
    from mtrl.assemble import agent_of, device_of, greedy, suite_of
    from mtrl.runs import WEIGHTS
    from mtrl.tensor_env import TensorEnv

    suite, device = suite_of(config), device_of(config)
    try:
        weights = load_file(path / WEIGHTS, device=str(device))
    except FileNotFoundError:
        raise UsageError(f"{str(path)!r} has no {WEIGHTS}: the run did not come to its end; train it again") from None
    except (SafetensorError, OSError) as error:
        raise UsageError(f"{str(path / WEIGHTS)!r} is damaged ({error}); train the run again") from None
    if PRESETS[config.agent].builder is None:
        from mtrl.sb3 import load_sb3_policy

        try:
            return load_sb3_policy(config, suite, weights, device)
        except RuntimeError as error:
            raise _misfit(path, error) from None
        except KeyError as task:
            raise UsageError(
                f"{str(path / WEIGHTS)!r} holds no model of task {task}: the run was stopped before; train it again"
            ) from None
    env = TensorEnv(suite, 1, device)
    agent, _ = agent_of(config, suite, env)
    env.close()
    try:
        agent.load_state_dict(weights)
    except RuntimeError as error:
        raise _misfit(path, error) from None
    return greedy(agent)


def _misfit(path: Path, error: RuntimeError) -> UsageError:
    """What to say where torch will not take the weights of a run."""
    from mtrl.runs import WEIGHTS

    return UsageError(
        f"{str(path / WEIGHTS)!r} does not fit the suite as it is now ({str(error).splitlines()[-1].strip()}); "
        "train the run again"
    )


run = command(main)

if __name__ == "__main__":
    sys.exit(run())
