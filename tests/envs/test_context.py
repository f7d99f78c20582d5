"""What an agent may read about a task: sentences as vectors from one source, scaled numbers, and one-hots."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from envs import context
from envs.context import context_of, encode, one_number, sentence_key, spread
from envs.errors import SuiteError
from envs.registry import BUILT_IN, make_suite
from envs.suite import Task, TaskSuite
from tests import ship
from tests.envs.scripted import Scripted


@pytest.fixture
def _no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context.importlib.util, "find_spec", lambda name: None)


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_the_sentences_of_built_in_suites_are_shipped(name: str) -> None:
    suite = make_suite(name)
    vectors, source = encode([task.description for task in (*suite.tasks, *suite.held_out)])
    assert source == "shipped"
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=2e-3)  # stored in half precision


@pytest.mark.usefixtures("_no_model")
def test_one_changed_sentence_moves_all_to_another_source() -> None:
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


def test_equal_sentences_are_returned_unchanged() -> None:
    for same in (np.array([[0.6, 0.8]]), np.array([[0.6, 0.8], [0.6, 0.8]])):
        assert spread(same) is same


def test_held_out_sentences_are_centred_over_the_training_sentences_alone() -> None:
    """Their mean is (2, 0); one held-out vector lies beyond them, one at their mean, which has no direction."""
    rows = spread(np.array([[3.0, 0.0], [1.0, 0.0], [9.0, 0.0], [2.0, 0.0]]), 2)
    np.testing.assert_allclose(rows, [[1, 0], [-1, 0], [1, 0], [0, 0]])
    same = np.array([[0.6, 0.8], [0.6, 0.8], [1.0, 0.0]])
    assert spread(same, 2) is same


SENTENCES = ["Swing up on the moon.", "Hold still at noon.", "Throw it far.", "Catch the red ball.", "Climb the wall."]


def numbered(*training: dict[str, float], held_out: tuple[dict[str, float], ...] = ()) -> TaskSuite:
    """Return a suite of tasks with these parameters, each with its own sentence."""
    tasks = [
        Task(f"t{k}", lambda: Scripted([]), SENTENCES[k], parameters=parameters)
        for k, parameters in enumerate((*training, *held_out))
    ]
    return TaskSuite("numbered", tasks[: len(training)], held_out=tasks[len(training) :])


GRAVITIES = numbered({"g": 2.0}, {"g": 4.0}, {"g": 10.0}, held_out=({"g": 7.0}, {"g": 14.0}))


def test_numbers_by_hand() -> None:
    """2, 4 and 10 lie at -1, -.5 and 1 of their range; 7 inside it at .25, and 14 outside at 2."""
    got = context_of(GRAVITIES, "numbers")
    size = np.sqrt((1.0 + 0.25 + 1.0) / 3)
    np.testing.assert_allclose(got.tasks, np.array([[-1.0], [-0.5], [1.0]]) / size, rtol=1e-6)
    np.testing.assert_allclose(got.held_out, np.array([[0.25], [2.0]]) / size, rtol=1e-6)
    assert (got.learned, got.source, got.describes_unseen) == (False, "none", True)
    assert got.tasks.dtype == np.float32


def test_each_number_has_its_own_scale_and_a_missing_one_is_in_the_middle() -> None:
    got = context_of(numbered({"mass": 1.0, "g": 0.0}, {"mass": 3000.0, "g": 0.2}, {"g": 0.1}), "numbers")
    np.testing.assert_allclose(got.tasks * np.sqrt(4 / 3), [[-1, -1], [1, 1], [0, 0]], atol=1e-6)


def test_a_number_that_training_never_varied_is_ignored_in_a_held_out_task() -> None:
    got = context_of(
        numbered({"g": 1.0, "k": 9.8}, {"g": 2.0, "k": 9.8}, held_out=({"g": 1.0, "k": 300.0},)), "numbers"
    )
    np.testing.assert_allclose(got.held_out[0], got.tasks[0])
    assert not context_of(numbered({"g": 5.0}, held_out=({"g": 9.0},)), "numbers").held_out.any()


@pytest.mark.parametrize("spec", ["text", "numbers", "onehot", "text+numbers", "numbers+onehot+text+learned"])
def test_the_parts_weigh_the_same_and_rows_have_unit_norm(spec: str) -> None:
    parts = [part for part in ("text", "numbers", "onehot") if part in spec]
    width = {"text": 384, "numbers": 1, "onehot": 3}
    columns = np.split(context_of(GRAVITIES, spec).tasks, np.cumsum([width[part] for part in parts])[:-1], axis=1)
    squares = [np.square(column).sum(axis=1).mean() for column in columns]
    assert squares == pytest.approx([1 / len(parts)] * len(parts), rel=1e-5)


def test_a_held_out_task_has_no_one_hot_and_no_learned_row() -> None:
    onehot, learned = context_of(GRAVITIES, "onehot"), context_of(GRAVITIES, "learned")
    np.testing.assert_array_equal(onehot.tasks, np.eye(3))
    np.testing.assert_array_equal(onehot.held_out, np.zeros((2, 3)))
    assert (onehot.learned, onehot.describes_unseen) == (False, False)
    assert (learned.tasks.shape, learned.held_out.shape) == ((3, 0), (2, 0))
    assert (learned.learned, learned.describes_unseen) == (True, False)
    assert context_of(GRAVITIES, "onehot+text").describes_unseen


def test_auto_selects_what_the_suite_has() -> None:
    for suite, same in ((GRAVITIES, "text+numbers+learned"), (numbered({}, {}), "text+learned")):
        auto, named = context_of(suite), context_of(suite, same)
        np.testing.assert_array_equal(auto.tasks, named.tasks)
        assert auto.learned
        assert auto.describes_unseen


def test_reference_tasks_centre_and_scale_other_tasks() -> None:
    """As if they had been trained on: 7 and 14 lie at .25 and 2 of 2, 4 and 10, whichever suite they belong to."""
    for spec in ("numbers", "text+numbers", "hashing"):
        expected, unseen = context_of(GRAVITIES, spec).held_out, GRAVITIES.held_out_suite()
        got = context_of(unseen, spec, reference=GRAVITIES.tasks)
        np.testing.assert_allclose(got.tasks, expected, atol=1e-6)
        assert got.held_out.shape == (0, got.tasks.shape[1])
    onehot = context_of(GRAVITIES.held_out_suite(), "onehot", reference=GRAVITIES.tasks)
    np.testing.assert_array_equal(onehot.tasks, np.eye(2))


def test_new_tasks_are_described_in_place_of_those_held_out() -> None:
    again = context_of(GRAVITIES, "text+numbers", new=GRAVITIES.tasks[:1])
    np.testing.assert_allclose(again.held_out, again.tasks[:1], atol=1e-6)


@pytest.mark.usefixtures("_no_model")
def test_hashing_reads_the_sentence_as_an_unknown_one_is_read() -> None:
    got, text = context_of(GRAVITIES, "hashing"), context_of(GRAVITIES, "text")
    assert (got.source, text.source, got.describes_unseen) == ("hashing", "hashing", True)
    np.testing.assert_allclose(got.tasks, text.tasks)
    shipped = make_suite("tabletop")
    assert context_of(shipped, "hashing").source == "hashing"
    assert not np.allclose(context_of(shipped, "hashing").tasks, context_of(shipped, "text").tasks)


@pytest.mark.usefixtures("_no_model")
def test_held_out_tasks_do_not_change_the_context_of_trained_ones() -> None:
    alone = numbered({"g": 2.0}, {"g": 4.0}, {"g": 10.0})
    np.testing.assert_array_equal(context_of(alone).tasks, context_of(GRAVITIES).tasks)


@pytest.mark.parametrize(
    ("suite", "spec", "parts"),
    [
        (GRAVITIES, "txet", ["--context is 'txet'", "text, numbers, onehot, learned", "Did you mean 'text'?"]),
        (GRAVITIES, "text+nubmers", ["--context is 'text+nubmers'", "Did you mean 'numbers'?"]),
        (GRAVITIES, "", ["--context is ''", "auto"]),
        (numbered({}, {}), "text+numbers", ["'text+numbers'", "no task of suite 'numbered' has parameters", "text"]),
    ],
)
def test_an_invalid_context_is_refused_with_the_valid_parts(suite: TaskSuite, spec: str, parts: list[str]) -> None:
    with pytest.raises(SuiteError) as caught:
        context_of(suite, spec)
    assert [part for part in parts if part not in str(caught.value)] == []


@pytest.mark.parametrize(
    ("training", "numbers"),
    [
        (({"g": 4.0}, {"g": 2.0}), (4.0, 2.0)),
        (({"g": 4.0, "mass": 1.0}, {"g": 2.0, "mass": 1.0}), (4.0, 2.0)),
        (({"g": 4.0, "mass": 1.0}, {"g": 2.0, "mass": 3.0}), None),
        (({"g": 4.0}, {"mass": 2.0}), None),
        (({"g": 4.0}, {"g": 4.0}), None),
        (({}, {}), None),
    ],
)
def test_the_one_number_is_the_only_one_that_all_tasks_have_and_vary(
    training: tuple[dict[str, float], ...], numbers: tuple[float, ...] | None
) -> None:
    assert one_number(numbered(*training)) == numbers


def test_a_sentence_that_is_shipped_keeps_its_vector_and_one_that_is_gone_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def model(value: float) -> None:
        monkeypatch.setattr(ship, "encode_with_model", lambda sentences: np.full((len(sentences), 384), value))

    path = tmp_path / "sentences.npz"
    for value, sentences in ((0.5, ["Push.", "Pull."]), (0.25, ["Reach.", "Pull."])):
        model(value)
        ship.ship(sentences, path)
    with np.load(path) as table:
        assert dict(zip(table["keys"].tolist(), table["vectors"][:, 0].tolist(), strict=True)) == {
            sentence_key("Reach."): 0.25,
            sentence_key("Pull."): 0.5,
        }
