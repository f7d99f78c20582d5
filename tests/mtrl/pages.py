"""Pages that a report wrote, read for tests, and runs for it to be of."""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

from tests.mtrl.made_runs import make_run

VOID = {"meta", "br", "img", "line", "path", "use", "rect"}


class Reader(HTMLParser):
    """Collects tags and text, and sees that every tag that opens is closed by its own."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, f"{tag} closes another, after {self.text[-80:]!r}"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title"):
            self.text += data


def read(file: Path) -> Reader:
    reader = Reader()
    reader.feed(file.read_text(encoding="utf-8"))
    assert reader.open == []
    return reader


def make_runs(
    root: Path, tasks: Sequence[str], seeds: int = 3, agents: Sequence[str] = ("care", "single-task")
) -> None:
    for place, agent in enumerate(agents):
        for seed in range(seeds):
            scores = {task: min(1.0, 0.3 + 0.1 * place + 0.05 * seed + 0.02 * k) for k, task in enumerate(tasks)}
            facts = {"task_sentences": {task: f"Sentence of {task}." for task in tasks}, "command": "python -m x"}
            make_run(root, agent, seed, scores, facts=facts, parameters=1000 + 1000 * place)


def first_table(page: Path) -> tuple[list[str], list[list[str]]]:
    """The headings and the cells of the agents' table in Markdown."""
    lines = [line for line in page.with_suffix(".md").read_text().splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return head, rows[:2]
