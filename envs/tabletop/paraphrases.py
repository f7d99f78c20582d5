"""The trained variants in other words: two patterns per skill, a word for each part; a paraphrase is a line here.

No agent is trained on them. An encoder that knows what words mean can match them to the tasks; hashing cannot.
"""

from __future__ import annotations

from envs.tabletop.variants import Variant

# What the patterns call the words of a variant; a zone is inserted at ``{to}``.
BODIES = {"small": "little", "large": "big", "heavy": "weighty", "springy": "spring-loaded", "left-hand": "left-sided"}
ZONES = {
    "": "to the target",
    "left": "onto the area on the left",
    "middle": "onto the area in the centre",
    "right": "onto the area on the right",
}
PACES = {"": "", "slow": ", moving slowly", "fast": ", moving quickly"}

PATTERNS: dict[str, tuple[str, str]] = {
    "reach": ("Bring your gripper {to}", "Travel with the fingers {to}"),
    "push": ("Shove the {what}disc {to}", "Make the {what}disc glide {to} without lifting it"),
    "pick-place": ("Lift the {what}disc across the barrier {to}", "Grab a {what}disc, raise it and set it down {to}"),
    "door-open": ("Grasp the knob and swing the {what}{side}door wide", "Turn the {what}{side}door on its hinges"),
    "drawer-open": ("Draw out the {what}tray", "Take hold of the knob so that the {what}drawer comes out"),
    "drawer-close": ("Close the {what}drawer", "Slide the {what}tray back into its cabinet"),
    "button-press": ("Hold a {what}switch depressed", "Push down on the {what}key without letting go"),
    "peg-insert": ("Plug the {what}pin into the socket of a {side}block", "Fit the {what}rod into its {side}opening"),
    "window-open": ("Move the {what}{side}pane aside to let in air", "Let in air through the {what}{side}window"),
    "window-close": ("Close the {what}{side}window", "Move the {what}{side}pane back so that no air comes in"),
}


def paraphrase(variant: Variant, which: int) -> str:
    """Return a variant's instruction in the words of pattern ``which`` of its skill: 0 or 1."""
    what = "".join(f"{BODIES[word]} " for word in (variant.size, variant.weight, variant.spring) if word)
    side = f"{BODIES[variant.side]} " if variant.side else ""
    pattern = PATTERNS[variant.skill][which]
    return f"{pattern.format(what=what, side=side, to=ZONES[variant.zone])}{PACES[variant.pace]}."
