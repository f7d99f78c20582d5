"""The metadata of a setting: its range, in values and in words, and that every setting of the kit has it."""

from __future__ import annotations

import dataclasses
import pickle
import re
from typing import Any

import pytest

from agents.registry import settings as module
from agents.registry import sharing_settings, weighing_settings
from agents.registry.agent_settings import AgentSettings
from agents.registry.compose import recorded_settings, settings_type
from agents.registry.facts import Facts, facts_of, setting
from agents.registry.presets import PRESETS
from agents.registry.settings import SACSettings, SB3Settings
from agents.registry.spec import AgentSpec, RegistryError

MODULES = (module, sharing_settings, weighing_settings)
KINDS = [
    kind
    for own in MODULES
    for kind in vars(own).values()
    if dataclasses.is_dataclass(kind) and kind is not AgentSettings and kind.__module__ == own.__name__
]
NAN, INF = float("nan"), float("inf")


@dataclasses.dataclass(frozen=True)
class Own:
    """Settings of a user's agent, without the kit's base class; one has the name of a kit setting."""

    strength: float = setting(2.0, gt=0)
    hidden: tuple[int, ...] = dataclasses.field(default_factory=lambda: (8,))


OWN = AgentSpec("agent", "own", "mine", target="nowhere:agent", settings=Own)


@pytest.mark.parametrize(
    ("facts", "good", "bad", "words"),
    [
        (Facts(), [-1, NAN, "word", (), None], [], ""),
        (Facts(ge=1), [1, 10**400, None], [0, -1], "it must be at least 1"),
        (Facts(ge=0), [0.0, 2.5], [-0.1, NAN, INF], "it must be a number of at least 0"),
        (Facts(ge=0, le=9), [0, 9], [10], "it must be at most 9"),
        (Facts(ge=0, le=9), [], [-1], "it must be at least 0"),
        (Facts(le=9), [9, -9], [10], "it must be at most 9"),
        (Facts(gt=0), [1e-9, 1], [0, 0.0, NAN, INF, -INF], "it must be a number above 0"),
        (Facts(gt=0, unit="seconds"), [0.1], [0.0], "it must be a number of seconds above 0"),
        (Facts(gt=0, le=1), [1, 1e-9], [0.0, 1.1, NAN], "it must be above 0 and at most 1"),
        (Facts(gt=0), [], ["word", [1]], "it must be a number"),
        (Facts(ge=1, unit="widths"), [(), (1, 2)], [(0,), (3, 0), ("a",)], "give widths of at least 1"),
        (Facts(ge=1, unit="widths", non_empty=True), [(1,)], [()], "give widths of at least 1"),
        (Facts(gt=0, le=1), [(0.5, 1)], [(0.5, 2)], "give numbers above 0 and at most 1"),
    ],
)
def test_a_value_out_of_its_range_is_refused_with_the_range(
    facts: Facts, good: list[Any], bad: list[Any], words: str
) -> None:
    assert [value for value in good if facts.fault(value)] == []
    assert {facts.fault(value) for value in bad} == ({words} if bad else set())


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_among_the_settings_has_a_range_and_a_default_within_it(kind: Any) -> None:
    for field in dataclasses.fields(kind):
        numbers = re.search(r"\b(int|float)\b", str(field.type)) is not None
        assert facts_of(field).has_range == numbers, field.name
        assert facts_of(field).fault(field.default) == "", field.name


def test_the_ranges_of_every_agents_settings_are_the_intended_ones() -> None:
    """Those of every agent, written out once: a range that is lost or changed must be changed here too."""
    found: dict[Any, set[str]] = {}
    whose = [kind for kind in KINDS if kind.__module__ == module.__name__]
    for field in (field for kind in whose for field in dataclasses.fields(kind)):
        facts = facts_of(field)
        if facts.has_range:
            found.setdefault((facts.ge, facts.gt, facts.le, facts.non_empty), set()).add(field.name)
    assert found == {
        (1, None, 100_000, True): {"hidden"},
        (1, None, 100_000, False): {"context_hidden"},
        (0, None, None, False): {"weight_decay", "gradient_norm"},
        (None, 0, 1, False): {"discount", "polyak"},
        (None, 0, 100_000, False): {"context_size"},
        (None, 0, None, False): {
            *("learning_rate", "final_learning_rate", "initial_temperature", "target_entropy", "adam_epsilon"),
        },
    }


def test_of_the_settings_only_the_widths_are_shown_first() -> None:
    in_table = {field.name for kind in KINDS for field in dataclasses.fields(kind) if facts_of(field).in_table}
    assert in_table == {"hidden"}


@pytest.mark.parametrize("agent", sorted(PRESETS))
def test_an_agents_settings_keep_the_metadata_of_its_pieces_and_can_be_pickled(agent: str) -> None:
    kind = settings_type(PRESETS[agent])
    known = {field.name: facts_of(field) for each in KINDS for field in dataclasses.fields(each)}
    assert {field.name: facts_of(field) for field in dataclasses.fields(kind)}.items() <= known.items()
    settings = dataclasses.replace(kind(), hidden=(3,))
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_settings_get_missing_fields_from_their_base() -> None:
    assert (SB3Settings().context, SB3Settings().precision, SB3Settings().hidden) == (None, "float32", (256, 256))
    assert SACSettings().context is None
    assert settings_type(PRESETS["care"])().context == "auto"
    assert recorded_settings({"strength": 3.0}).hidden == ()
    assert recorded_settings({"context": "text"}).context == "text"
    assert dataclasses.fields(AgentSettings) == ()


def test_a_users_settings_need_no_base_of_the_kits() -> None:
    settings = settings_type(OWN)()
    assert isinstance(settings, Own)
    assert (settings.strength, settings.hidden, settings.context) == (2.0, (8,), None)  # type: ignore[attr-defined]
    assert dataclasses.asdict(settings) == {"strength": 2.0, "hidden": (8,)}
    assert settings_type(OWN) is settings_type(OWN)
    assert pickle.loads(pickle.dumps(settings)) == settings
    with pytest.raises(RegistryError, match=r"settings of agent 'own' are not a frozen dataclass"):
        settings_type(dataclasses.replace(OWN, settings=str))
