from __future__ import annotations

import pytest

from .stylesheets import physical_sides
from .tree import complaints, select

HERE = "heard/ui/css/shell.css"


@pytest.mark.parametrize(
    "source",
    [
        "a { margin-inline-start: 1px; inset-inline-end: 0; text-align: start; }",
        "a { border-start-start-radius: 2px; float: inline-end }",
        ".pane-left { --left: 1px; transform-origin: left; }",
        "/* margin-left: is what we avoid */",
        "a { grid-template-areas: 'left right'; }",
    ],
)
def test_logical_sides_are_fine(source):
    assert physical_sides(HERE, source) == []


@pytest.mark.parametrize(
    "declaration",
    [
        "margin-left: 1px",
        "left: 0",
        "padding-right:1px",
        "border-left-color: red",
        "border-top-left-radius: 1px",
    ],
)
def test_left_and_right_are_named(declaration):
    name = declaration.partition(":")[0]
    assert physical_sides(HERE, f"a {{\n  {declaration};\n}}") == [
        f"{HERE}:2: {name}: name the side by start or end"
    ]


@pytest.mark.parametrize("declaration", ["float: left", "text-align:right"])
def test_values_count_too(declaration):
    assert len(physical_sides(HERE, f"a {{ {declaration} }}")) == 1


def test_the_style_sheets_of_this_house_turn_round():
    assert complaints(physical_sides, select(".css", under="heard/", but=r"/vendor/|\.min\.css$")) == ""
