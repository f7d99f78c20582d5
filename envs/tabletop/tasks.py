"""The ten tabletop tasks as a table: what stands on the table, how it may move, where it starts, and the goal.

Lengths are in half table widths (the table is the square [-1, 1] x [-1, 1]), angles in radians. The hand enters from
the low-y side. Tasks that share a scene share every range, so that the observation does not reveal the task.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

HORIZON = 100  # steps an episode
HAND_RADIUS = 0.06
HAND_SPEED = 0.08  # per step and axis
GRIP_SPEED = 0.25  # aperture per step; 1 is open, 0 is shut
GRIP_SHUT = 0.5  # apertures below this hold
GRIP_SLACK = 0.03  # how far from contact a closing gripper still catches

Range = tuple[float, float]


@dataclass(frozen=True)
class Scene:
    """A body (a capsule: a segment with a radius) and the joint that limits how it may move."""

    joint: Literal["free", "slide", "hinge"]
    radius: float
    base_x: Range  # of the free body itself, of the rail's zero, or of the hinge
    base_y: Range
    half_length: float = 0.0
    heading: tuple[float, float] = (0.0, 0.0)  # along the capsule, at displacement 0; zeros for a disc
    axis: tuple[float, float] = (0.0, 0.0)  # of a slide
    travel: float = 0.0  # the joint's upper limit; the lower one is 0
    grip_at: float = 0.0  # where along the heading the handle sits, from the capsule's middle
    spring: float = 0.0  # share of the displacement lost per step
    drag: float = 0.0  # share of a push or a pull that the body withstands
    goal_x: Range = (0.0, 0.0)
    goal_y: Range = (0.0, 0.0)
    wall: float = 2.0  # the hand stays below base_y + wall
    box_depth: float = 0.0  # > 0: a box whose hole, this deep, ends at the goal


@dataclass(frozen=True)
class TabletopTask:
    """One task in a scene: the sentence, what counts as solved, and how the hand must approach."""

    name: str
    sentence: str
    scene: Scene
    tolerance: float
    approach: Literal["goal", "behind", "grip"]  # what the reward draws the hand to first
    start: Range = (0.0, 0.0)  # of the joint's displacement
    target: float = 0.0  # displacement of the joint; free bodies have a goal instead
    graspable: bool = True
    rim_y: float = 2.0  # a rim on the table that only a held body crosses
    hand_within: float = math.inf  # a solved task needs the hand this close to the point that it pushes from
    speed: float = 1.0  # of the hand, in HAND_SPEED
    mirrored: bool = False  # right and left exchanged in observations and actions
    goal_shown: bool = True  # of a free body


PUCK = Scene(
    joint="free",
    radius=0.07,
    base_x=(-0.5, 0.5),
    base_y=(-0.2, 0.1),
    goal_x=(-0.6, 0.6),
    goal_y=(0.5, 0.8),
)
PEG = Scene(
    joint="free",
    radius=0.03,
    half_length=0.12,
    heading=(1.0, 0.0),
    grip_at=-0.06,
    base_x=(-0.5, 0.0),
    base_y=(-0.2, 0.1),
    goal_x=(0.65, 0.8),
    goal_y=(0.2, 0.6),
    box_depth=0.15,
)
# A drawer as wide as the table: there is no way round to its back, so it opens only by its handle.
DRAWER = Scene(
    joint="slide",
    radius=0.04,
    half_length=2.0,
    heading=(1.0, 0.0),
    axis=(0.0, -1.0),
    travel=0.4,
    base_x=(-0.5, 0.5),
    base_y=(0.6, 0.8),
)
WINDOW = Scene(
    joint="slide",
    radius=0.04,
    half_length=0.1,
    heading=(0.0, 1.0),
    axis=(1.0, 0.0),
    travel=0.5,
    base_x=(-0.5, 0.0),
    base_y=(0.3, 0.7),
)
BUTTON = Scene(
    joint="slide",
    radius=0.04,
    half_length=0.06,
    heading=(1.0, 0.0),
    axis=(0.0, 1.0),
    travel=0.12,
    spring=0.2,
    base_x=(-0.6, 0.6),
    base_y=(0.4, 0.8),
)
# Shut against a wall: the hand gets behind the panel only once it stands ajar.
DOOR = Scene(
    joint="hinge",
    radius=0.03,
    half_length=0.25,
    heading=(1.0, 0.0),
    travel=1.3,
    grip_at=0.17,
    base_x=(-0.6, 0.1),
    base_y=(0.4, 0.7),
    wall=0.025,
)

TASKS: tuple[TabletopTask, ...] = (
    TabletopTask(
        "reach",
        "Move the hand to the goal and leave the puck where it is.",
        PUCK,
        0.07,
        "goal",
        graspable=False,
    ),
    TabletopTask(
        "push",
        "Push the puck, which is too wide to grip, across the table to the goal.",
        PUCK,
        0.10,
        "behind",
        graspable=False,
    ),
    TabletopTask(
        "pick-place",
        "Pick up the puck, lift it over the rim and place it on the goal.",
        PUCK,
        0.08,
        "grip",
        rim_y=0.35,
    ),
    TabletopTask("door-open", "Pull the door open by its handle.", DOOR, 0.15, "grip", start=(0.0, 0.05), target=1.3),
    TabletopTask(
        "drawer-open",
        "Pull the drawer open by its handle.",
        DRAWER,
        0.04,
        "grip",
        start=(0.15, 0.25),
        target=0.4,
    ),
    # The front is as wide as the table, so a hand that just moves on shuts the drawer; it must do so at the handle.
    TabletopTask(
        "drawer-close",
        "Push the drawer shut.",
        DRAWER,
        0.04,
        "behind",
        start=(0.15, 0.25),
        target=0.0,
        hand_within=0.08,
    ),
    TabletopTask("button-press", "Press the button down and keep it down.", BUTTON, 0.02, "behind", target=0.12),
    TabletopTask("peg-insert", "Grip the peg and insert it sideways into the hole in the box.", PEG, 0.05, "grip"),
    TabletopTask(
        "window-open",
        "Slide the window open to the right.",
        WINDOW,
        0.05,
        "behind",
        start=(0.2, 0.3),
        target=0.5,
    ),
    TabletopTask(
        "window-close",
        "Slide the window shut to the left.",
        WINDOW,
        0.05,
        "behind",
        start=(0.2, 0.3),
        target=0.0,
    ),
)

BY_NAME = {task.name: task for task in TASKS}
HOLE_TOLERANCE = 0.04  # how far off the hole's middle the peg still enters
