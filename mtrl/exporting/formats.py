"""Write a policy as TorchScript or ONNX; the file is read back and compared before it is kept."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from agents.base import seeded_generator
from envs.errors import one_line, warn
from mtrl.errors import RunError, UsageError, os_reason
from mtrl.exporting.module import ExportedPolicy
from mtrl.version import __version__

METADATA = "mtrl.json"  # the entry of a file that describes the policy's inputs
ROWS = 3  # of the observations for tracing: more than one, so that the number is not taken for a constant
TOLERANCE = 1e-5  # as a fraction of an action's range

Act = Callable[[Tensor, int], Tensor]


class Writer(NamedTuple):
    """Functions that write a policy to a file and read it back."""

    save: Callable[[ExportedPolicy, Path], None]
    load: Callable[[Path], Act]


def check_installed(format_: str) -> None:
    """Raise ``UsageError`` if a format needs packages that are not installed."""
    missing = [name for name in ("onnx", "onnxruntime", "onnxscript") if find_spec(name) is None]
    if format_ == "onnx" and missing:
        raise UsageError(f"--format onnx needs {', '.join(missing)}, not installed: pip install -e '.[onnx]'")


def write(policy: ExportedPolicy, run: Path, path: Path, format_: str) -> None:
    """Write a run's policy to ``path``, after checking that the file acts like it on observations of every task.

    Raises ``UsageError`` if it cannot be written, and ``RunError`` if torch cannot export the policy or the file acts
    differently.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        with silence() as recorded:
            difference = _difference_once_written(policy, run, partial, format_)
        if not difference <= TOLERANCE:
            raise RunError(
                f"{str(run)!r} as {format_} acts differently, by {difference:.1e} of an action's range, so it is not "
                "kept; does the agent have a Python branch on its observations, or a random number?"
            )
        partial.replace(path)
    except OSError as error:
        raise UsageError(f"--out {str(path)!r} cannot be written: {os_reason(error)}") from None
    finally:
        partial.unlink(missing_ok=True)
    traced = [one for one in recorded if issubclass(one.category, torch.jit.TracerWarning)]
    messages = [f"{one.filename}:{one.lineno}: {str(one.message).partition('. ')[0]}" for one in traced]
    for message in dict.fromkeys(messages):  # traced code may depend on the inputs
        warn(f"{path} acts like the run on the inputs tried, but {message}")


def _difference_once_written(policy: ExportedPolicy, run: Path, path: Path, format_: str) -> float:
    """Write a policy, read it back and compare. Raises ``RunError`` with torch's reason if that fails."""
    writer = WRITERS[format_]
    try:
        writer.save(policy, path)
        return largest_difference(policy, writer.load(path))
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001  (torch and the user's own agent may raise anything)
        raise RunError(f"{str(run)!r} cannot be written as {format_}: {one_line(reason_of(error))}") from None


def reason_of(error: BaseException) -> BaseException:
    """Return the first of a chain of exceptions; those around it only describe the exporter's own steps."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


@contextlib.contextmanager
def silence() -> Iterator[list[warnings.WarningMessage]]:
    """Suppress what torch's exporters log and print; yield the list of their warnings."""
    with warnings.catch_warnings(record=True) as recorded, contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("always")
        logging.disable(logging.WARNING)
        try:
            yield recorded
        finally:
            logging.disable(logging.NOTSET)


def largest_difference(policy: ExportedPolicy, act: Act) -> float:
    """Return the largest difference of actions, relative to their range, over random and mirrored observations."""
    differences = []
    for number, sign in product(range(len(policy.tasks)), (1.0, -1.0)):
        obs = sign * torch.randn(ROWS + number % 3, policy.obs_size, generator=seeded_generator(number))
        expected = policy(obs, torch.tensor(number))
        span = (policy.high[number] - policy.low[number]).clamp_min(torch.finfo(torch.float32).tiny)
        differences.append(((act(obs, number) - expected).abs() / span).max())
    return float(torch.stack(differences).max())  # NaN if one is


def metadata(policy: ExportedPolicy) -> str:
    """Return a file's metadata as JSON: the tasks by number, with their sizes."""
    return json.dumps({"mtrl": __version__, "tasks": [task._asdict() for task in policy.tasks]})


def example(policy: ExportedPolicy) -> tuple[Tensor, Tensor]:
    """Return inputs to trace a policy with."""
    return torch.zeros(ROWS, policy.obs_size), torch.zeros((), dtype=torch.int64)


def save_torchscript(policy: ExportedPolicy, path: Path) -> None:
    """Write TorchScript without the critics, which the policy does not use."""
    traced = torch.jit.freeze(torch.jit.trace(policy, example(policy), check_trace=False))
    torch.jit.save(traced, str(path), _extra_files={METADATA: metadata(policy)})


def load_torchscript(path: Path) -> Act:
    """Read TorchScript."""
    module = torch.jit.load(str(path))
    return lambda obs, task: module(obs, torch.tensor(task))


def save_onnx(policy: ExportedPolicy, path: Path) -> None:
    """Write ONNX for any number of rows, weights included."""
    program = torch.onnx.export(
        policy,
        example(policy),
        input_names=["obs", "task"],
        output_names=["action"],
        dynamic_shapes={"obs": {0: torch.export.Dim("N")}, "task": None},
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    program.model.metadata_props[METADATA] = metadata(policy)
    program.save(path)


def load_onnx(path: Path) -> Act:
    """Read ONNX."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path.read_bytes())

    def act(obs: Tensor, task: int) -> Tensor:
        return torch.as_tensor(session.run(None, {"obs": obs.numpy(), "task": np.asarray(task, dtype=np.int64)})[0])

    return act


WRITERS = {"torchscript": Writer(save_torchscript, load_torchscript), "onnx": Writer(save_onnx, load_onnx)}
