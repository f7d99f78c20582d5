"""A policy as a file: TorchScript or ONNX, each read again and compared before it is left to the user."""

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
from mtrl.errors import RunError, UsageError
from mtrl.exporting.module import ExportedPolicy
from mtrl.version import __version__

METADATA = "mtrl.json"  # the name of a file's entry that says what the policy's inputs mean
ROWS = 3  # of the observations that a policy is traced with: more than one, so that none is taken for a constant
TOLERANCE = 1e-5  # of an action's range

Act = Callable[[Tensor, int], Tensor]


class Writer(NamedTuple):
    """How a policy is written to a file and what reads it again."""

    save: Callable[[ExportedPolicy, Path], None]
    load: Callable[[Path], Act]


def check_installed(format_: str) -> None:
    """Raise ``UsageError`` where a format asks for packages that are not here."""
    missing = [name for name in ("onnx", "onnxruntime", "onnxscript") if find_spec(name) is None]
    if format_ == "onnx" and missing:
        raise UsageError(f"--format onnx needs {', '.join(missing)}, not installed: pip install -e '.[onnx]'")


def write(policy: ExportedPolicy, run: Path, path: Path, format_: str) -> None:
    """Write a run's policy to ``path`` once the file, read again, acts as it does on observations of every task.

    Raises ``UsageError`` where it cannot be written, ``RunError`` where the format cannot hold the policy: torch fails,
    or the file would act differently.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        with silence() as heard:
            off = _difference_once_written(policy, run, partial, format_)
        if not off <= TOLERANCE:
            raise RunError(
                f"{str(run)!r} as {format_} acts differently, by {off:.1e} of an action's range, so it is not "
                "kept; does the agent have a Python branch on its observations, or a random number?"
            )
        partial.replace(path)
    except OSError as error:
        raise UsageError(f"--out {str(path)!r} cannot be written: {error.strerror or error}") from None
    finally:
        partial.unlink(missing_ok=True)
    for one in heard:
        if issubclass(one.category, torch.jit.TracerWarning):  # of something that may be another time what it was not
            said = str(one.message).partition(". ")[0]
            warn(f"{path} acts as the run on what it was tried on, but {one.filename}:{one.lineno}: {said}")


def _difference_once_written(policy: ExportedPolicy, run: Path, path: Path, format_: str) -> float:
    """Write a policy, read it again and compare. Raises ``RunError`` with torch's reason where it cannot be done."""
    writer = WRITERS[format_]
    try:
        writer.save(policy, path)
        return largest_difference(policy, writer.load(path))
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001  (torch's, and whatever the user's own agent raises)
        raise RunError(f"{str(run)!r} cannot be written as {format_}: {one_line(reason_of(error))}") from None


def reason_of(error: BaseException) -> BaseException:
    """Return the first of a chain of exceptions: what is around it are an exporter's words about its own steps."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


@contextlib.contextmanager
def silence() -> Iterator[list[warnings.WarningMessage]]:
    """Keep from a user what torch's exporters log and print of their workings -> what they warned of."""
    with warnings.catch_warnings(record=True) as heard, contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("always")
        logging.disable(logging.WARNING)
        try:
            yield heard
        finally:
            logging.disable(logging.NOTSET)


def largest_difference(policy: ExportedPolicy, act: Act) -> float:
    """Return by how much of their range actions differ at most, over random observations of each task, mirrored too."""
    largest = 0.0
    for number, sign in product(range(len(policy.tasks)), (1.0, -1.0)):
        obs = sign * torch.randn(ROWS + number % 3, policy.obs_size, generator=seeded_generator(number))
        wanted = policy(obs, torch.tensor(number))
        span = (policy.high[number] - policy.low[number]).clamp_min(torch.finfo(torch.float32).tiny)
        largest = max(largest, float(((act(obs, number) - wanted).abs() / span).max()))
    return largest


def metadata(policy: ExportedPolicy) -> str:
    """Return what a file says of itself, as JSON: the tasks by their numbers, with their sizes."""
    return json.dumps({"mtrl": __version__, "tasks": [task._asdict() for task in policy.tasks]})


def example(policy: ExportedPolicy) -> tuple[Tensor, Tensor]:
    """Return inputs to trace a policy with."""
    return torch.zeros(ROWS, policy.obs_size), torch.zeros((), dtype=torch.int64)


def save_torchscript(policy: ExportedPolicy, path: Path) -> None:
    """Write TorchScript without the critics, which the policy does not read."""
    traced = torch.jit.freeze(torch.jit.trace(policy, example(policy), check_trace=False))
    torch.jit.save(traced, str(path), _extra_files={METADATA: metadata(policy)})


def load_torchscript(path: Path) -> Act:
    """Read TorchScript."""
    module = torch.jit.load(str(path))
    return lambda obs, task: module(obs, torch.tensor(task))


def save_onnx(policy: ExportedPolicy, path: Path) -> None:
    """Write ONNX of any number of rows, weights included."""
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
