"""Render a page by templates, with user input escaped for each format."""

from __future__ import annotations

from collections.abc import Mapping

from jinja2 import Environment, PackageLoader, StrictUndefined

from mtrl.reporting.charts import COLOURS
from mtrl.reporting.page import Page


def render(page: Page, template: str, charts: Mapping[str, str] | None = None) -> str:
    """Fill a template with a page, escaping user input in HTML. ``charts`` has file names by what they show."""
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
    return environment.get_template(template).render(page=page, charts=charts or {})


def markdown_cell(value: object) -> str:
    """Format user input for a cell of a Markdown table: on one line, with Markdown syntax escaped."""
    text = " ".join(str(value).split())
    for mark in "\\`*_[]|~#!":
        text = text.replace(mark, f"\\{mark}")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
