"""The tasks in which EnvPool pays another reward than Meta-World's own environments, and how that shows."""

from __future__ import annotations

CAGING = "the gripper's reward for caging the object is another"

REWARD_DIFFERS: dict[str, str] = {
    "pick-place-v3": CAGING,
    "sweep-into-v3": CAGING,
    "soccer-v3": CAGING,
    "push-back-v3": CAGING,
}
