"""From a page to text: the templates, and how user input is written into each kind."""

from __future__ import annotations

from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined

from mtrl.reporting.charts import COLOURS
from mtrl.reporting.page import Page


def render(page: Page, template: str, pictures: Mapping[str, str] | None = None) -> str:
    """Fill a template with a page; in HTML what a user named is escaped. ``pictures`` are files by what they show."""
    environment = Environment(
        loader=PackageLoader("mtrl.reporting"),
        autoescape=template.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = markdown_cell
    environment.globals["colours"] = COLOURS
    return environment.get_template(template).render(page=page, pictures=pictures or {})


def markdown_cell(value: object) -> str:
    """Write user input into a cell of a Markdown table: on one line, and nothing in it means anything to Markdown."""
    text = " ".join(str(value).split())
    for mark in "\\`*_[]|~#!":
        text = text.replace(mark, f"\\{mark}")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
