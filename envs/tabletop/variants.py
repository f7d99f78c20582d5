"""Variants of the ten tasks: words for what may differ, the number of each word, and the resulting task."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from envs.tabletop.tasks import BY_NAME, TabletopTask

ZONE_Y = 0.65  # of every zone's middle

# The number of each word; the empty word is the task's own value, which its sentence does not mention.
WORDS: dict[str, dict[str, float]] = {
    "size": {"": 1.0, "small": 0.7, "large": 1.3, "huge": 1.6},
    "weight": {"": 0.0, "heavy": 0.4, "leaden": 0.6},  # share of a push that the body withstands
    "spring": {"": 0.0, "springy": 0.06},  # share of the joint's displacement lost per step, besides its own
    "side": {"": 1.0, "left-hand": -1.0},  # the tabletop's own are right-hand ones
    "pace": {"": 1.0, "slow": 0.6, "fast": 1.4, "sluggish": 0.4},  # of the hand
    "zone": {"": 0.0, "far-left": -0.75, "left": -0.5, "middle": 0.0, "right": 0.5},  # x of its middle; not observed
}


@dataclass(frozen=True)
class Skill:
    """One of the ten tasks as a pattern: its sentence, and which lengths of its scene grow with ``size``."""

    sentence: str
    grows: tuple[str, ...]


SKILLS: dict[str, Skill] = {
    "reach": Skill("Move the hand {to}", ("radius",)),
    "push": Skill("Push the {what}puck {to}", ("radius",)),
    "pick-place": Skill("Pick up the {what}puck and carry it over the rim {to}", ("radius",)),
    "door-open": Skill("Pull the {what}{side}door open by its handle", ("half_length", "grip_at")),
    "drawer-open": Skill("Pull the {what}drawer open by its handle", ("travel",)),
    "drawer-close": Skill("Push the {what}drawer shut at its handle", ("travel",)),
    "button-press": Skill("Press the {what}button down and keep it down", ("half_length",)),
    "peg-insert": Skill("Grip the {what}peg and insert it into the hole in the {side}box", ("half_length", "grip_at")),
    "window-open": Skill("Slide the {what}{side}window open", ("travel",)),
    "window-close": Skill("Slide the {what}{side}window shut", ("travel",)),
}


@dataclass(frozen=True)
class Variant:
    """A skill, and a word of ``WORDS`` for each part in which it differs from the tabletop's own task."""

    skill: str
    size: str = ""
    weight: str = ""
    spring: str = ""
    side: str = ""
    pace: str = ""
    zone: str = ""

    @property
    def words(self) -> dict[str, str]:
        """The word of each part."""
        return {field.name: getattr(self, field.name) for field in fields(self)[1:]}

    @property
    def name(self) -> str:
        """The skill and its words: ``push-large-right``."""
        return "-".join([self.skill, *filter(None, self.words.values())])

    @property
    def sentence(self) -> str:
        """The instruction: ``Push the large puck into the right zone.``"""
        what = "".join(f"{word} " for word in (self.size, self.weight, self.spring) if word)
        side = f"{self.side} " if self.side else ""
        to = f"into the {self.zone.replace('-', ' ')} zone" if self.zone else "to the goal"
        hand = f", with a {self.pace} hand" if self.pace else ""
        return f"{SKILLS[self.skill].sentence.format(what=what, side=side, to=to)}{hand}."

    @property
    def values(self) -> dict[str, float]:
        """The number of each part's word."""
        return {part: WORDS[part][word] for part, word in self.words.items()}

    @property
    def numbers(self) -> dict[str, float]:
        """What an agent may read besides the sentence: the parts, and what distinguishes skills with the same scene.

        The latter are whether a body must be moved, whether by its handle, and which way: 1 open, -1 shut.
        """
        task = self.task()
        way = 0.0 if task.scene.joint == "free" else 1.0 if task.target > 0 else -1.0
        return {
            "body": float(task.approach != "goal"),
            "grip": float(task.approach == "grip"),
            "way": way,
            **self.values,
        }

    def task(self) -> TabletopTask:
        """Return the skill's own task as changed by the words."""
        task, value = BY_NAME[self.skill], self.values
        scene, size = task.scene, value["size"]
        longer = size if "travel" in SKILLS[self.skill].grows else 1.0
        grown = {name: getattr(scene, name) * size for name in SKILLS[self.skill].grows}
        if self.zone:
            scene = replace(scene, goal_x=(value["zone"],) * 2, goal_y=(ZONE_Y,) * 2)
        return replace(
            task,
            name=self.name,
            sentence=self.sentence,
            scene=replace(scene, spring=scene.spring + value["spring"], drag=value["weight"], **grown),
            start=(task.start[0] * longer, task.start[1] * longer),
            target=task.target * longer,
            speed=value["pace"],
            mirrored=value["side"] < 0,
            goal_shown=not self.zone,
        )
