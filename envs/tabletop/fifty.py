"""The suite ``tabletop-50``: the ten skills in five variants each, and held-out ones; a variant is a line here."""

from __future__ import annotations

from functools import partial

from envs.suite import Task, TaskSuite
from envs.tabletop.env import TabletopEnv
from envs.tabletop.paraphrases import paraphrase
from envs.tabletop.simulator import make_simulator
from envs.tabletop.variants import Variant

TRAINED: tuple[Variant, ...] = (
    Variant("reach"),
    Variant("reach", zone="left"),
    Variant("reach", zone="right"),
    Variant("reach", pace="slow"),
    Variant("reach", pace="fast", zone="middle"),
    Variant("push"),
    Variant("push", size="small", zone="left"),
    Variant("push", size="large", zone="right"),
    Variant("push", weight="heavy"),
    Variant("push", size="large", pace="slow"),
    Variant("pick-place"),
    Variant("pick-place", size="small", zone="right"),
    Variant("pick-place", size="large"),
    Variant("pick-place", weight="heavy", zone="left"),
    Variant("pick-place", pace="slow"),
    Variant("door-open"),
    Variant("door-open", side="left-hand"),
    Variant("door-open", size="large"),
    Variant("door-open", weight="heavy", side="left-hand"),
    Variant("door-open", spring="springy", pace="slow"),
    Variant("drawer-open"),
    Variant("drawer-open", size="large"),
    Variant("drawer-open", weight="heavy", pace="slow"),
    Variant("drawer-open", spring="springy"),
    Variant("drawer-open", size="small", weight="heavy"),
    Variant("drawer-close"),
    Variant("drawer-close", size="large"),
    Variant("drawer-close", size="small", weight="heavy"),
    Variant("drawer-close", pace="slow"),
    Variant("drawer-close", size="large", pace="fast"),
    Variant("button-press"),
    Variant("button-press", size="small"),
    Variant("button-press", size="large", weight="heavy"),
    Variant("button-press", spring="springy"),
    Variant("button-press", size="large", pace="slow"),
    Variant("peg-insert"),
    Variant("peg-insert", side="left-hand"),
    Variant("peg-insert", size="large"),
    Variant("peg-insert", weight="heavy", side="left-hand"),
    Variant("peg-insert", size="small", pace="slow"),
    Variant("window-open"),
    Variant("window-open", side="left-hand"),
    Variant("window-open", size="large"),
    Variant("window-open", weight="heavy"),
    Variant("window-open", side="left-hand", pace="slow"),
    Variant("window-close"),
    Variant("window-close", side="left-hand"),
    Variant("window-close", size="large", pace="fast"),
    Variant("window-close", weight="heavy", side="left-hand"),
    Variant("window-close", size="small"),
)
# New combinations of trained words and, at the end, words for values beyond the trained ones.
HELD_OUT: tuple[Variant, ...] = (
    Variant("reach", pace="slow", zone="left"),
    Variant("reach", pace="fast", zone="right"),
    Variant("push", size="small", zone="right"),
    Variant("push", weight="heavy", zone="left"),
    Variant("pick-place", size="small", zone="left"),
    Variant("pick-place", weight="heavy", zone="right"),
    Variant("door-open", size="large", side="left-hand"),
    Variant("drawer-open", size="large", spring="springy"),
    Variant("drawer-close", size="small", pace="slow"),
    Variant("button-press", size="small", weight="heavy"),
    Variant("peg-insert", size="large", side="left-hand"),
    Variant("window-open", weight="heavy", side="left-hand"),
    Variant("window-close", size="large", side="left-hand"),
    Variant("reach", zone="far-left"),
    Variant("push", size="huge"),
    Variant("door-open", size="huge"),
    Variant("drawer-open", weight="leaden"),
    Variant("window-close", pace="sluggish"),
)
TABLE = {variant.name: variant.task() for variant in (*TRAINED, *HELD_OUT)}


def _range_of(variant: Variant) -> str:
    """Return whether a variant's numbers are ``inside`` or ``outside`` the range of the trained ones."""
    spans = {part: [trained.values[part] for trained in TRAINED] for part in variant.values}
    inside = all(min(spans[part]) <= value <= max(spans[part]) for part, value in variant.values.items())
    return "inside" if inside else "outside"


def _task(variant: Variant, *tags: str, other_words: str = "") -> Task:
    spec = TABLE[variant.name]
    make = partial(TabletopEnv, spec)
    return Task(
        spec.name,
        make,
        spec.sentence,
        tags,
        parameters=variant.numbers,
        group=variant.skill,
        paraphrase=other_words,
    )


def _paraphrases() -> list[str]:
    """Return a paraphrase of each trained variant; a skill's variants alternate between its patterns."""
    skills = [variant.skill for variant in TRAINED]
    return [paraphrase(variant, skills[:k].count(variant.skill) % 2) for k, variant in enumerate(TRAINED)]


suite = TaskSuite(
    "tabletop-50",
    [_task(variant, other_words=words) for variant, words in zip(TRAINED, _paraphrases(), strict=True)],
    simulator=partial(make_simulator, TABLE),
    held_out=[_task(variant, _range_of(variant)) for variant in HELD_OUT],
)
