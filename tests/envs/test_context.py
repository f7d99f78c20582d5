"""Sentences become vectors from one source, the same ones each time, spread over the suite."""

from __future__ import annotations

import numpy as np
import pytest

from envs import context
from envs.context import encode, sentence_key, spread
from envs.suite import BUILT_IN, make_suite


@pytest.fixture
def _no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context.importlib.util, "find_spec", lambda name: None)


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_the_sentences_of_built_in_suites_are_shipped(name: str) -> None:
    vectors, source = encode(make_suite(name).descriptions)
    assert source == "shipped"
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=2e-3)  # stored in half precision


@pytest.mark.usefixtures("_no_model")
def test_one_changed_sentence_sends_all_to_another_source() -> None:
    sentences = list(make_suite("tabletop").descriptions)
    sentences[3] = sentences[3].replace(".", "!")
    vectors, source = encode(sentences)
    assert source == "hashing"
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)


def test_the_key_notices_a_changed_sentence() -> None:
    assert sentence_key("Push the puck.") == "57b89cf17b7c1e1b"
    assert sentence_key("Push the puck!") != sentence_key("Push the puck.")


@pytest.mark.usefixtures("_no_model")
def test_hashing_is_the_same_on_every_machine_and_knows_likeness() -> None:
    (vector, near, far), source = encode(["Push the red puck.", "Push the blue puck.", "Open a window."])
    assert source == "hashing"
    positions = np.flatnonzero(vector)[:4]
    assert positions.tolist() == GOLDEN_POSITIONS
    assert vector @ near > 0.5 > vector @ far


GOLDEN_POSITIONS = [19, 31, 43, 70]


def test_spread_by_hand() -> None:
    np.testing.assert_allclose(spread(np.array([[3.0, 0.0], [1.0, 0.0]])), [[1, 0], [-1, 0]])
    apart = spread(np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]))
    np.testing.assert_allclose(apart @ apart.T, [[1, -0.5, -0.5], [-0.5, 1, -0.5], [-0.5, -0.5, 1]], atol=1e-6)


def test_what_cannot_be_spread_stays_as_it_is() -> None:
    for same in (np.array([[0.6, 0.8]]), np.array([[0.6, 0.8], [0.6, 0.8]])):
        assert spread(same) is same
