"""A family's values become tasks whose names, sentences and numbers agree; a user's own values are checked."""

from __future__ import annotations

import subprocess
import sys

import pytest

from envs.errors import SuiteError
from envs.families import mujoco, pendulum
from envs.families.family import Family
from envs.registry import make_suite
from envs.suite import TaskSuite

FAMILIES = {
    family.name: family
    for module in (pendulum, mujoco)
    for family in vars(module).values()
    if isinstance(family, Family)
}


def value_of(name: str) -> float:
    """Return the value in a task's name: 1.5 for ``velocity-1.5``."""
    return float(name.split("-", 1)[1])


@pytest.fixture(params=sorted(FAMILIES))
def family(request: pytest.FixtureRequest) -> Family:
    return FAMILIES[request.param]


@pytest.fixture
def suite(family: Family) -> TaskSuite:
    return make_suite(family.name)


def test_all_families_are_tested() -> None:
    assert sorted(FAMILIES) == [
        "ant-direction",
        "cheetah-gravity",
        "cheetah-velocity",
        "hopper-mass",
        "pendulum-gravity",
        "pendulum-length",
        "walker-friction",
    ]


def test_names_sentences_and_parameters_have_the_same_value(family: Family, suite: TaskSuite) -> None:
    assert suite.name == family.name
    assert 5 <= len(suite.tasks) <= 8
    for task in (*suite.tasks, *suite.held_out):
        parameter, _, value = task.name.partition("-")
        assert parameter == family.parameter
        assert f" {value} " in task.description
        assert value_of(task.name) == task.make.args[0]
        assert dict(task.parameters) == dict(family.numbers(parameter, float(value)))


def test_held_out_values_agree_with_their_tags(family: Family, suite: TaskSuite) -> None:
    trained = [value_of(name) for name in suite.task_names]
    assert not any(task.tags for task in suite.tasks)
    sides = []
    for task in suite.held_out:
        value = value_of(task.name)
        assert value not in trained
        assert task.tags == (("inside",) if min(trained) <= value <= max(trained) else ("outside",))
        sides += task.tags
    assert set(sides) == {"inside", "outside"}
    assert all(family.minimum <= value_of(task.name) <= family.maximum for task in (*suite.tasks, *suite.held_out))


def test_the_docstring_states_the_range(family: Family) -> None:
    module = pendulum if family.name.startswith("pendulum") else mujoco
    function = getattr(module, family.name.removeprefix("pendulum-").replace("-", "_"))
    assert f"from {family.minimum:g} to {family.maximum:g} {family.unit}." in function.__doc__


def test_own_values_are_trained_on_and_in_the_suites_name() -> None:
    suite = make_suite("pendulum-gravity:2, 5,8.50")
    assert suite.name == "pendulum-gravity-2+5+8.5"
    assert suite.task_names == ("gravity-2", "gravity-5", "gravity-8.5")
    assert [task.parameters for task in suite.tasks] == [{"gravity": 2.0}, {"gravity": 5.0}, {"gravity": 8.5}]
    # the family holds out 2 and 5, which are trained on here, and 9 and 14, which lie outside
    assert [(task.name, task.tags) for task in suite.held_out] == [
        ("gravity-9", ("outside",)),
        ("gravity-14", ("outside",)),
    ]
    assert make_suite("pendulum-gravity:0.0,16").task_names == ("gravity-0", "gravity-16")
    assert make_suite("pendulum-gravity:-0").task_names == ("gravity-0",)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_both_ends_of_the_range_are_accepted_and_values_beyond_are_not(name: str) -> None:
    family = FAMILIES[name]
    assert len(make_suite(f"{name}:{family.minimum},{family.maximum}").tasks) == 2
    for beyond in (family.minimum - 1e-6, family.maximum + 1e-6):
        with pytest.raises(SuiteError, match=f"suite '{name}': {family.parameter} .* is out of range; it may be from"):
            make_suite(f"{name}:{beyond}")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("999", "gravity '999' is out of range; it may be from 0 to 16 m/s^2; write pendulum-gravity:4,6,8,10,12"),
        ("-1", "gravity '-1' is out of range"),
        ("nan", "gravity 'nan' is out of range"),
        ("5,inf", "gravity 'inf' is out of range"),
        ("5,two", r"gravity 'two' is not a number; it may be from 0 to 16 m/s\^2"),
        ("5,,8", "gravity '' is not a number"),
        ("5,8,5.0", "gravity '5.0' is given twice"),
    ],
)
def test_bad_values_are_refused_in_one_line(argument: str, message: str) -> None:
    with pytest.raises(SuiteError, match=f"^suite 'pendulum-gravity': {message.replace('m/s^2;', 'm/s.2;')}") as caught:
        make_suite(f"pendulum-gravity:{argument}")
    assert "\n" not in str(caught.value)


def test_directions_are_neighbours_across_zero() -> None:
    near, far, back = make_suite("ant-direction:0,359,180").tasks
    assert near.parameters == {"direction-x": 1.0, "direction-y": 0.0}
    assert far.parameters["direction-x"] == pytest.approx(0.99985, abs=1e-5)
    assert far.parameters["direction-y"] == pytest.approx(-0.01745, abs=1e-5)
    assert back.parameters["direction-x"] == -1.0


LIST = f"""
import sys
from envs.registry import make_suite
assert all(make_suite(name).held_out for name in {sorted(FAMILIES)}) and make_suite("fetch").tasks
assert not {{"mujoco", "gymnasium_robotics"}} & set(sys.modules), "a simulator was imported to list tasks"
"""


def test_listing_imports_no_simulator() -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", LIST], check=True)
