"""What the extension of JupyterLab hears of a session, in a real kernel: figures and names, no key and no prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab.test_link import HELLO, LOAD, STATE, key, page, router  # noqa: F401 - fixtures
from tetrate_jupyter.lab import TARGET

if TYPE_CHECKING:
    from tests.lab.test_link import Page

pytestmark = pytest.mark.slow


def test_neither_key_nor_prompt_is_told(page: Page, key: str) -> None:  # noqa: F811 - a fixture
    page.run(LOAD)
    state = page.greet()
    page.run("%tetrate_model claude-haiku-4-5\n%tetrate --no-keep The word is xyzzy.")
    page.told(lambda data: data.get("asking") is False and data["cost"] != "$0")
    page.run(f"%tetrate --no-keep {key}")  # is refused, with an error that repeats nothing
    page.run("1 + 1")
    told = [m["content"]["data"] for m in page.heard if m["msg_type"] == "comm_msg"]
    assert set(state) == STATE
    assert {each["type"] for each in told} == {"hello", "state"}
    assert key not in repr(told)
    assert "xyzzy" not in repr(told)


def test_nothing_is_told_before_somebody_says_hello(page: Page) -> None:  # noqa: F811
    page.run(LOAD)
    page.run("%tetrate --no-keep hello")
    assert not [m for m in page.heard if m["content"].get("target_name") == TARGET or m["msg_type"] == "comm_msg"]


@pytest.mark.parametrize("name", ["ask", "run", "docked.show", "__class__", "sign-out; rm"])
def test_what_a_page_may_ask_for_is_a_fixed_name(page: Page, name: str) -> None:  # noqa: F811
    page.run(LOAD)
    page.greet()
    before = len([m for m in page.heard if m["msg_type"] == "comm_msg"])
    page.say({**HELLO, "type": "do", "name": name, "code": "1/0"})
    page.run("1 + 1")
    after = [m["content"]["data"] for m in page.heard if m["msg_type"] == "comm_msg"][before:]
    assert [each for each in after if each.get("type") != "state" or not each["signed_in"]] == []
