"""Write the table of shipped sentence vectors, for all built-in suites: ``python -m tests.ship``.

It needs the extra ``text``. tests/envs/test_context.py fails when it must be run.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from envs.context import TABLE, encode_with_model, sentence_key, shipped_vectors
from envs.registry import BUILT_IN, make_suite

MODEL = "all-MiniLM-L6-v2"


def built_in_sentences() -> list[str]:
    """Return every sentence of every built-in suite, of held-out tasks and paraphrases too, in alphabetical order."""
    tasks = [task for name in BUILT_IN for suite in [make_suite(name)] for task in (*suite.tasks, *suite.held_out)]
    return sorted({sentence for task in tasks for sentence in (task.description, task.paraphrase) if sentence})


def ship(sentences: Sequence[str], path: Path = TABLE) -> None:
    """Write the table that ``envs.context.encode`` reads, for these sentences, in half precision.

    A sentence that the table has keeps its vector, since the model's last bits differ between releases and machines.
    """
    keys, vectors = [sentence_key(sentence) for sentence in sentences], shipped_vectors(path)
    new = {key: sentence for key, sentence in zip(keys, sentences, strict=True) if key not in vectors}
    if new:
        vectors |= dict(zip(new, encode_with_model([*new.values()]), strict=True))
    rows = np.stack([vectors[key] for key in keys]).astype(np.float16)
    np.savez_compressed(path, keys=np.array(keys), vectors=rows, model=MODEL)


if __name__ == "__main__":
    ship(built_in_sentences())
