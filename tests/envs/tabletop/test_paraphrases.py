"""The trained variants in other words: each has one, none is a trained sentence, and only word knowledge helps."""

from __future__ import annotations

import numpy as np
import pytest

from envs.context import context_of, encode
from envs.tabletop.fifty import TRAINED, suite
from envs.tabletop.paraphrases import PATTERNS, paraphrase
from envs.tabletop.variants import SKILLS, Variant

COMMON = {"the", "a", "to", "and", "of", "by", "its", "it", "with", "into", "in", "onto", "on", "your"}


def words(sentence: str) -> set[str]:
    """Return the words of a sentence except common ones."""
    return {*sentence.lower().replace(",", " ").replace(".", " ").replace("-", " ").split()} - COMMON


def test_a_paraphrase_follows_from_the_words_of_its_variant() -> None:
    variant = Variant("push", size="large", weight="heavy", pace="slow", zone="right")
    assert paraphrase(variant, 0) == "Shove the big weighty disc onto the area on the right, moving slowly."
    assert paraphrase(Variant("door-open", side="left-hand"), 1) == "Turn the left-sided door on its hinges."


def test_every_trained_task_has_its_own_and_each_skill_two_patterns() -> None:
    paraphrases = [task.paraphrase for task in suite.tasks]
    assert PATTERNS.keys() == SKILLS.keys()
    assert len({*paraphrases}) == len(paraphrases) == len(TRAINED)
    assert not {*paraphrases} & {task.description for task in (*suite.tasks, *suite.held_out)}
    assert not any(task.paraphrase for task in suite.held_out)
    for skill in SKILLS:
        mine = [task.paraphrase for task, variant in zip(suite.tasks, TRAINED, strict=True) if variant.skill == skill]
        assert len({sentence.split()[0] for sentence in mine}) == 2


def test_the_wording_differs_clearly() -> None:
    shared = [
        len(words(task.description) & words(task.paraphrase)) / len(words(task.description)) for task in suite.tasks
    ]
    assert np.mean(shared) < 0.25
    assert max(shared) <= 0.5


def nearest(spec: str) -> float:
    """Return the share of paraphrases whose nearest trained sentence belongs to the same skill."""
    context = context_of(suite, spec, new=suite.paraphrased().tasks)
    found = (context.held_out @ context.tasks.T).argmax(axis=1)
    return float(np.mean([suite.tasks[k].group == task.group for k, task in zip(found, suite.tasks, strict=True)]))


def test_the_sentence_encoder_knows_them_and_hashing_does_not() -> None:
    """.74 and .26 of them; chance is .1."""
    assert encode([task.paraphrase for task in suite.tasks])[1] == "shipped"
    assert nearest("text") == pytest.approx(0.74)
    assert nearest("hashing") == pytest.approx(0.26)
