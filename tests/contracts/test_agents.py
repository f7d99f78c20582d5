"""What every registered agent and every piece has to keep to; it is tested by being registered."""

from __future__ import annotations

import pytest
import torch

from agents.check import check_agent
from agents.registry.compose import SLOTS, pieces_of
from agents.registry.lookup import KINDS, built_in
from agents.registry.pieces import PIECES
from agents.registry.presets import PRESETS

IN_LOOP = [name for name, agent in PRESETS.items() if agent.in_loop]
# Every piece beside an agent whose own pieces it fits.
OTHERS = [
    (slot, name)
    for slot, kind in SLOTS.items()
    for name in PIECES[kind]
    if name != pieces_of(PRESETS["mtsac"])[slot].name
]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("name", IN_LOOP)
def test_an_agent_keeps_to_the_contract(name: str) -> None:
    report = check_agent(PRESETS[name])
    assert report.problems == []
    assert len(report.passed) >= 8


@pytest.mark.parametrize(("slot", "piece"), OTHERS)
def test_a_piece_keeps_to_the_contract(slot: str, piece: str) -> None:
    agent = "mtmhsac" if PIECES[SLOTS[slot]][piece].own_weights else "mtsac"
    report = check_agent(PRESETS[agent], {slot: piece})
    assert report.problems == []
    assert len(report.passed) >= 8


def test_pieces_multiply() -> None:
    pieces = {"trunk": "multi-head", "aggregator": "pcgrad", "penalty": "l2", "critic": "categorical"}
    assert check_agent(PRESETS["care"], pieces).problems == []


def test_agents_that_read_the_context_are_asked_whether_the_order_of_tasks_matters() -> None:
    asked = "permuting the tasks permutes their actions"
    assert asked in check_agent(PRESETS["care"]).passed
    assert asked in check_agent(PRESETS["mtsac"], {"encoder": "film"}).passed
    assert any(line.startswith(asked) for line in check_agent(PRESETS["single-task"]).skipped)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_built_in_has_a_sentence_and_a_name_that_can_be_typed(kind: str) -> None:
    for name, spec in built_in(kind).items():  # type: ignore[arg-type]
        assert (spec.kind, spec.name, spec.source) == (kind, name, "built in")
        assert len(spec.description.split()) >= 3
        assert not set(name) & set(" /\\:,;*?\"'")
