"""What a reader must know of an answer, in a few words that open the rest."""

from __future__ import annotations

import pytest

from tests.render.page import framed
from tetrate_jupyter.completion.answer import FILTERED, TRUNCATED
from tetrate_jupyter.render.answer import answer_html
from tetrate_jupyter.render.chips import FULL, IN_A_CELL, IN_A_PANEL, LONGEST, REFUSED, details, label, notices_html

SAID = {
    "df: 15 of 2,000 rows sent": "df: 15 of 2,000 rows sent",
    "df: 15 of 2,000 rows sent (no more fit the model's window)": "df: 15 of 2,000 rows sent",
    "df: 15 of 2,000 rows sent (no more are sure to fit the model's window)": "df: 15 of 2,000 rows sent",
    "notes is empty": "notes is empty",
    "notes is empty (None)": "notes is empty",
    TRUNCATED: "Cut off at the output cap",
    FILTERED: "The provider's content filter ended this answer early",
    "Stopped: this is part of an answer.": "Stopped",
    "Broken off (StreamCutError): this is part of an answer.": "Broken off",
    "The model refused: " + "I won't do that. " * 9: "The model refused",
    "No text came, only reasoning.": "No text came, only reasoning",
    "The connection broke. Next: ask again.": "",
    "one\ntwo": "",
    "word " * 40: "",
}


@pytest.mark.parametrize("notice", SAID)
def test_a_chip_is_short_and_says_what_the_notice_is_about(notice: str) -> None:
    assert label(notice) == SAID[notice]
    assert len(label(notice)) <= LONGEST
    assert details(notice).startswith(notice)


def test_a_table_that_was_cut_says_how_more_of_it_is_sent_where_it_is_read() -> None:
    assert details("df: 15 of 2,000 rows sent").endswith(IN_A_CELL)
    assert details("df: 15 of 2,000 rows sent", IN_A_PANEL).endswith(IN_A_PANEL)
    full = "df: 15 of 2,000 rows sent (no more are sure to fit the model's window)"
    assert details(full) == details(full, IN_A_PANEL) == f"{full}. {FULL}"
    assert "--rows" not in FULL
    assert details("data: 20 of 30 members sent") == "data: 20 of 30 members sent"


@pytest.mark.parametrize("notice", [*SAID, "<b>&: 15 of 2,000 rows sent", "<script>" * 20])
def test_without_scripts_all_of_it_is_there(notice: str) -> None:
    page = framed(answer_html("<p>Yes.</p>", notices=[notice]))
    assert page.faults == []
    assert notice.strip() in page.text
    tags = [tag for tag, _ in page.tags]
    opens = len(details(notice)) > LONGEST and label(notice) != "" and not notice.startswith(REFUSED)
    assert ("details" in tags) is opens


def test_a_refusal_stands_where_the_answer_would() -> None:
    html = answer_html("", notices=["The model refused: I will not."])
    assert '<p class="tetrate-failed" dir="auto">The model refused: I will not.</p>' in html
    assert ".tetrate-failed{" in html


def test_an_answer_with_nothing_to_say_has_no_chip() -> None:
    assert notices_html(()) == ""
    assert "tetrate-notice" not in answer_html("<p>Yes.</p>")


def test_a_chip_of_a_value_opens_what_was_sent_of_it_as_text() -> None:
    notice = "df: 15 of 2,000 rows and a summary of all sent"
    found = notices_html([notice, "notes is empty"], {notice: "| <b>n</b> |\n| 1 |"})
    assert f"<summary>{notice}</summary>" in found
    assert found.count("<pre") == 1
    assert "This was sent:" in found
    assert "| &lt;b&gt;n&lt;/b&gt; |\n| 1 |</pre>" in found
    long = label(f"{'a' * 25}: 15 of 2,000 rows and a summary of all sent")
    assert long == f"{'a' * 25}: 15 of 2,000 rows sent"
