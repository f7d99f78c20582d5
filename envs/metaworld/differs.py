"""The tasks in which EnvPool's reward differs from that of Meta-World's own environments, and why.

``tests/envs/metaworld/test_replay.py`` replays EnvPool's starts and actions of all fifty to find them.
"""

from __future__ import annotations

# The reasons are in the protocol of result.json, which must be equal in compared runs, so they keep their wording.
# metaworld 3.1.1 keeps the pads' first position as a view of MuJoCo's memory, so it is always the current one.
PADS = "the official reward reads the gripper pads' present position where EnvPool's reads their first"
GOAL = "EnvPool's goal moves on by some .85 m from one episode to the next"

REWARD_DIFFERS: dict[str, str] = {
    "button-press-topdown-wall-v3": "EnvPool has metaworld 3.0.0's reward, which 3.1.1 mended",
    "door-lock-v3": PADS,
    "hammer-v3": GOAL,
    "pick-place-v3": PADS,
    "push-back-v3": PADS,
    "shelf-place-v3": GOAL,
    "soccer-v3": PADS,
    "sweep-into-v3": PADS,
    "sweep-v3": PADS,
}
