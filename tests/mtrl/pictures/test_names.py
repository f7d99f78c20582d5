"""Shortened names fit, stay different, and keep what fits."""

from __future__ import annotations

import numpy as np
import pytest

from envs.registry import make_suite
from mtrl.pictures.heat_maps import SHARES, heat_map
from mtrl.pictures.learning_curves import learning_curves
from mtrl.pictures.names import shortened

ALIKE = ["window-open", "window-close", "drawer-open", "drawer-close", "reach"]


def test_what_fits_is_kept_and_of_the_rest_the_middle_goes() -> None:
    assert shortened(ALIKE, 12) == ALIKE
    assert shortened(ALIKE, 7) == ["win…pen", "win…ose", "dra…pen", "dra…ose", "reach"]


@pytest.mark.parametrize("most", [20, 13, 11, 8, 6, 5])
@pytest.mark.parametrize(
    "names",
    [
        ALIKE,
        list(make_suite("tabletop").task_names),
        [f"pendulum-gravity-{k}" for k in range(50)],
        [f"{k}-the-same-long-ending-of-all" for k in range(50)],
        ["the-same-beginning-X-the-same-ending", "the-same-beginning-Y-the-same-ending"],
        [f"{'a' * 30}{k}{'b' * 30}" for k in range(12)],
    ],
    ids=["alike", "tabletop", "ending", "beginning", "middle", "middle of many"],
)
def test_different_names_stay_different_and_fit(names: list[str], most: int) -> None:
    short = shortened(names, most)
    assert len(set(short)) == len(set(names))
    assert max(map(len, short)) <= most


def test_another_measure_than_letters() -> None:
    def width(text: str) -> float:
        return sum(9.0 if letter in "mw" else 4.0 for letter in text)

    short = shortened(["mmmmmm-one", "mmmmmm-two", "iiiiii"], 36.0, width)
    assert len(set(short)) == 3
    assert short[2] == "iiiiii"
    assert max(map(width, short)) <= 36.0


def test_the_same_name_twice_is_the_same_twice() -> None:
    assert shortened(["window-open", "window-open"], 6) == ["win…en", "win…en"]
    assert shortened([], 6) == []


@pytest.mark.filterwarnings("error")
def test_pictures_show_formulas_and_letters_that_no_font_has_as_names() -> None:
    names, blank, formulas = ["$\\frac{", "a$b$", "\U0001f9be"], [" ", "  ", "   "], ["$x$", "a$b$", "c"]

    def drawn(labels: list[str], literally: bool = True) -> list[np.ndarray]:
        heat, curves = (one if literally else one.__wrapped__ for one in (heat_map, learning_curves))  # type: ignore[attr-defined]
        return [heat(np.ones((3, 3)), labels, labels, SHARES), curves(dict.fromkeys(labels), "success")]

    def ink(image: np.ndarray) -> int:
        return int((image < 128).all(axis=2).sum())

    for image, without in zip(drawn(names), drawn(blank), strict=True):
        assert ink(image) > ink(without)
    for image, typeset in zip(drawn(formulas), drawn(formulas, literally=False), strict=True):
        assert not np.array_equal(image, typeset)
