"""Docstrings as tools' descriptions: the first paragraph, and what each style says of each parameter."""

from __future__ import annotations

import pytest

from tetrate_jupyter.completion.docstrings import parameters, summary


@pytest.mark.parametrize("title", ["Args:", "Arguments:", "Parameters:", "Params:", "args", "PARAMS: "])
def test_each_title_of_parameters_begins_them_and_ends_the_summary(title: str) -> None:
    text = f"Do it\nwell.\n{title}\n    x: The x.\n"
    assert parameters(text) == {"x": "The x."}
    assert summary(text) == "Do it well."


TITLES = "Return Returns Yield Yields Raises Example Examples Note Notes Attributes Warning Warnings References Todo"


@pytest.mark.parametrize("title", [*TITLES.split(), "See Also", "returns:"])
def test_other_sections_end_the_summary_and_the_parameters(title: str) -> None:
    assert summary(f"Do it.\n{title}\n    y: No.") == "Do it."
    assert parameters(f"Do it.\n\nArgs:\n    x: The x.\n\n{title}\n    y: No.") == {"x": "The x."}
    assert parameters(f"Do it.\n\nArgs\n----\nx : int\n    The x.\n\n{title}\n-------\ny : int\n    No.") == {
        "x": "The x."
    }


def test_the_summary_ends_at_an_empty_line_or_a_field() -> None:
    assert summary("One.\n\nTwo.") == "One."
    assert summary("One.\n:param x: The x.") == "One."
    assert summary("Arguments matter here.") == "Arguments matter here."  # a sentence, no title
    assert summary("  One\n  two.  ") == "One two."
    assert summary(None) == summary("") == ""
    assert summary("x" * 2_000) == "x" * 1_000


@pytest.mark.parametrize(
    "docstring",
    [
        "Args:\n    x: The x.",
        "Args:\n        x: The x.\n    ",
        "\n    Args:\n        x: The x.\n    ",
        "Args:\n        x: The\n            x.\n\n    Returns:\n        y: No.\n    ",
        "Parameters\n    ----------\n    x : int\n        The x.\n    ",
    ],
)
def test_a_docstring_may_begin_with_its_parameters(docstring: str) -> None:
    assert (summary(docstring), parameters(docstring)) == ("", {"x": "The x."})


def test_google_entries_go_on_where_they_are_indented() -> None:
    text = """Do it.

    Args:
        x (int): The x,
            which goes on.
        *rest: The rest.
        **more (dict): More.

        y: The y: all of it.
        no colon here
            and its text
    Nothing more: of this.
    """
    assert parameters(text) == {
        "x": "The x, which goes on.",
        "rest": "The rest.",
        "more": "More.",
        "y": "The y: all of it.",
    }


def test_numpy_entries_may_share_their_text() -> None:
    text = (
        "Do it.\n\nParameters\n----------\nx, y : float\n    Both.\nz\n    The z,\n    too.\nw : int\n\n"
        "Returns\n-------\nint\n    v"
    )
    assert parameters(text) == {"x": "Both.", "y": "Both.", "z": "The z, too."}  # of w nothing is said
    assert parameters("Parameters\n--\nx: y") == {}  # two dashes underline nothing
    assert parameters("Parameters") == {}
    assert parameters("Args:\n    x: The x.\nParameters\n---\ny : int\n    The y.") == {"x": "The x.", "y": "The y."}


def test_sphinx_fields_may_have_types_and_go_on() -> None:
    text = "Do it.\n\n:param x: The x,\n    which goes on.\n:param int y: The y.\n:type y: int\n    No.\n:return: z\n"
    assert parameters(text) == {"x": "The x, which goes on.", "y": "The y."}
    assert parameters(":param x:  The   x. \n") == {"x": "The x."}


def test_each_description_is_bounded() -> None:
    assert parameters("Do it.\n\nArgs:\n    x: " + "y" * 2_000) == {"x": "y" * 1_000}
