"""Names become agents and pieces; pieces that do not fit together are refused in one line."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from agents.registry import lookup
from agents.registry.compose import SLOTS, pieces_of, recorded_settings, settings_type
from agents.registry.lookup import KINDS, learned_alone, resolve, resolve_agent
from agents.registry.presets import PRESETS
from agents.registry.settings import SACSettings, SB3Settings
from agents.registry.sharing_settings import CARESettings, FiLMSettings, L2Settings
from agents.registry.spec import AgentSpec, RegistryError, Spec, preset


@dataclasses.dataclass(frozen=True)
class Own:
    """Settings of a user's piece."""

    strength: float = 2.0
    """How much."""


@dataclasses.dataclass(frozen=True)
class Clash:
    """A setting that every agent has already."""

    discount: float = 0.5
    """Taken."""


@dataclasses.dataclass
class Thawed:
    """Settings that can be written to."""

    strength: float = 2.0
    """How much."""


def weigh(losses: Any, parameters: Any) -> None:
    """Weigh every task alike. The rest is left out.

    And so is this.
    """


@pytest.fixture(autouse=True)
def _my_module() -> Iterator[None]:
    module = ModuleType("registry_example")
    vars(module).update(
        weigh=weigh,
        number=3,
        spec=Spec("aggregator", "another", "Weighs.", weigh, Own),
        clash=Spec("aggregator", "", "Weighs.", weigh, Clash),
        thawed=Spec("aggregator", "", "Weighs.", weigh, Thawed),
        mine=preset("FiLM and own weights", encoder="film", aggregator="registry_example:weigh"),
        odd=preset("no such slot", decoder="film"),
    )
    sys.modules["registry_example"] = module
    yield
    del sys.modules["registry_example"]


def test_importing_the_registry_costs_no_torch() -> None:
    code = "import sys, agents.registry, agents.registry.compose; assert not {'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_built_in_is_found_and_can_be_imported(kind: Any) -> None:
    for name in lookup.built_in(kind):
        spec = resolve(kind, name)
        assert (spec.kind, spec.name, spec.source) == (kind, name, "built in")
        assert spec.load() is None or callable(spec.load())


def test_a_users_function_is_described_by_its_docstring() -> None:
    spec = resolve("aggregator", "registry_example:weigh")
    assert spec == Spec(
        "aggregator",
        "registry_example:weigh",
        "Weigh every task alike. The rest is left out",
        weigh,
        source="registry_example:weigh",
    )


def test_a_users_spec_gets_the_name_that_was_requested() -> None:
    spec = resolve("aggregator", "registry_example:spec")
    assert (spec.name, spec.description, spec.settings) == ("registry_example:spec", "Weighs.", Own)
    mine = resolve_agent("registry_example:mine")
    assert pieces_of(mine)["encoder"].name == "film"
    assert pieces_of(mine)["aggregator"].load() is weigh


def test_a_packages_entry_point_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("weighed", "registry_example:spec", "mtrl.aggregators")
    asked = []

    def entry_points(group: str) -> list[Any]:
        asked.append(group)
        return [point] if group == point.group else []

    monkeypatch.setattr(lookup, "entry_points", entry_points)
    spec = resolve("aggregator", "weighed")
    assert (spec.name, spec.load(), spec.source) == ("weighed", weigh, "registry_example:spec")
    with pytest.raises(
        RegistryError, match=r"unknown trunk 'weighed'; known: shared, multi-head, separate, soft-modules, "
    ):
        resolve("trunk", "weighed")
    assert asked == ["mtrl.aggregators", "mtrl.trunks"]


def test_a_broken_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    point = SimpleNamespace(name="gone", value="nowhere:thing", dist=SimpleNamespace(name="their-kit"), load=fail)
    monkeypatch.setattr(lookup, "entry_points", lambda group: [point])
    with pytest.raises(RegistryError, match=r"encoder 'gone' of package their-kit \(nowhere:thing\) cannot be loaded"):
        resolve("encoder", "gone")


def fail() -> None:
    raise ImportError("broken")


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("agent", "cart", "unknown agent 'cart'; known: care, "),
        ("agent", "no_such_module:mine", "no module named 'no_such_module'"),
        ("agent", "registry_example:min", "'registry_example' has no 'min'"),
        ("agent", "registry_example:weigh", "is function, not an agent; make one with mtrl.preset"),
        ("agent", "registry_example:spec", "is of kind aggregator, not agent"),
        ("aggregator", "registry_example:number", "is int; give a class, a function or an mtrl.Spec"),
        ("aggregator", ":weigh", "not of the form module:attribute"),
    ],
)
def test_what_is_not_there_is_refused_in_words(kind: Any, name: str, words: str) -> None:
    with pytest.raises(RegistryError) as error:
        resolve(kind, name)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("agent", "chosen", "words"),
    [
        ("care", {"trunk": "separate"}, "trunk 'separate' shares nothing between tasks"),
        ("single-task", {"aggregator": "mean"}, "its aggregator stays 'sum'"),
        ("single-task", {"trunk": "shared"}, "its trunk stays 'separate'"),
        ("sb3", {"trunk": "shared"}, "is not made of pieces, so it has no --trunk"),
        ("mtsac", {"critic": "bins"}, "unknown head 'bins'"),
        ("registry_example:odd", {}, "has no piece 'decoder'"),
        ("mtsac", {"aggregator": "registry_example:clash"}, "every agent both have a setting 'discount'"),
        ("mtsac", {"aggregator": "registry_example:thawed"}, "are not a frozen dataclass"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_words(agent: str, chosen: dict[str, str], words: str) -> None:
    with pytest.raises(RegistryError) as error:
        settings_type(resolve_agent(agent), chosen)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_an_agents_settings_are_those_of_its_pieces() -> None:
    care = settings_type(PRESETS["care"])
    assert issubclass(care, CARESettings)
    assert issubclass(care, SACSettings)
    assert not issubclass(settings_type(PRESETS["mtsac"]), CARESettings)
    assert settings_type(PRESETS["sb3"]) is SB3Settings
    other = settings_type(PRESETS["care"], {"encoder": "film", "penalty": "l2", "aggregator": "registry_example:spec"})
    assert all(issubclass(other, kind) for kind in (FiLMSettings, L2Settings, Own))
    assert not issubclass(other, CARESettings)
    assert (other().encoder, other().penalty, other().strength) == ("film", "l2", 2.0)
    assert settings_type(PRESETS["care"]) is care


def test_settings_from_a_file_are_read_without_the_modules_that_they_name() -> None:
    settings = recorded_settings({"trunk": "shared", "aggregator": "not_here:mine", "strength": 3.0})
    assert isinstance(settings, SACSettings)
    assert (settings.aggregator, settings.strength, settings.discount) == ("not_here:mine", 3.0, SACSettings.discount)


def test_which_agents_learn_alone_is_known_without_importing_anything() -> None:
    assert [name for name in PRESETS if learned_alone(name)] == ["single-task", "sb3"]
    assert not learned_alone("not_here:mine")
    assert not learned_alone("nobody")


def test_every_slot_of_a_preset_is_filled() -> None:
    for agent in PRESETS.values():
        assert isinstance(agent, AgentSpec)
        assert pieces_of(agent).keys() == (SLOTS.keys() if agent.of_pieces else set())
