"""What a comparison asks: checked as a whole before anything is sent, each question planned when it is its turn."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from tetrate_jupyter.compare.columns import Column
from tetrate_jupyter.compare.questions import Questions, checked
from tetrate_jupyter.compare.setup import CellPlace, Setup
from tetrate_jupyter.errors import CostLimitError, OptionError, SecretInPromptError, UnknownModelError
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.types import Cut

if TYPE_CHECKING:
    from tetrate_jupyter.face.session import Session
    from tetrate_jupyter.sandbox import SandboxRouter

HAIKU, LUNA = "claude-haiku-4-5", "gpt-6-luna"
KEY = Secret("sk-" + "Kq7vR2xWz9" * 3, host="a.example")


def column(session: Session, number: int = 1, model: str = HAIKU, **more: Any) -> Column:
    return Column(f"c{number}", more.pop("label", model), model, model=session.models()[model], **more)


def setup(session: Session, *columns: Column, **more: Any) -> Setup:
    return Setup(more.pop("prompts", ("hi",)), columns or (column(session),), **more)


def asked(router: SandboxRouter) -> int:
    return len([r for r in router.requests if r.path.endswith("/chat/completions")])


def test_what_can_be_asked_is_checked_and_forecast(session: Session, router: SandboxRouter) -> None:
    given = setup(session, column(session), column(session, 2, LUNA), prompts=("hi", "bye"), repeats=3)
    found, forecast = checked(session, given)
    assert found == given
    assert [c.problem for c in found.columns] == [None, None]
    assert forecast.calls == 12
    assert asked(router) == 0


def test_a_column_that_cant_be_asked_has_its_problem_and_the_others_stay(session: Session) -> None:
    unknown = Column("c2", "x", "x", problem=UnknownModelError("x is unknown.", next_step="list them"))
    wrong = column(session, 3, params={"temperature": 9})
    found, forecast = checked(session, setup(session, column(session), unknown, wrong))
    assert [type(c.problem) for c in found.columns] == [type(None), UnknownModelError, OptionError]
    assert found.columns[2].problem is not None
    assert found.columns[2].problem.message == "temperature is 9."
    assert forecast.calls == 1


def test_where_no_column_can_be_asked_the_first_problem_is_the_error(session: Session) -> None:
    wrong = column(session, 1, params={"temperature": 9})
    unknown = Column("c2", "x", "x", problem=UnknownModelError("x is unknown.", next_step="list them"))
    with pytest.raises(OptionError, match="temperature is 9"):
        checked(session, setup(session, wrong, unknown))
    with pytest.raises(UnknownModelError, match="x is unknown"):
        checked(session, setup(session, unknown, wrong))


@pytest.mark.parametrize(
    "more",
    [
        {"prompts": ("hi", f"it is {KEY.reveal()}")},
        {"as_typed": f"it is {KEY.reveal()}"},
        {"params": {"system": f"it is {KEY.reveal()}"}},
    ],
)
def test_a_key_anywhere_is_refused(session: Session, more: dict[str, Any]) -> None:
    with pytest.raises(SecretInPromptError):
        checked(session, setup(session, **more))


def test_a_key_in_a_column_is_refused(session: Session) -> None:
    for wrong in (
        column(session, params={"stop": [KEY.reveal()]}),
        column(session, label=KEY.reveal()),
        replace(column(session), asked=KEY.reveal()),
    ):
        with pytest.raises(SecretInPromptError):
            checked(session, setup(session, wrong, column(session, 2)))


def test_a_key_in_what_was_said_before_is_refused(session: Session) -> None:
    session.ask("The word is Ax3tP9mLq2Ax3tP9mLq2.")
    given = setup(session, column(session, history=session.conversation.exchanges))
    assert checked(session, given)[0] == given
    known = Secret("Ax3tP9mLq2Ax3tP9mLq2", host="a.example")  # from now on
    with pytest.raises(SecretInPromptError):
        checked(session, given)
    assert known.host == "a.example"


def test_what_goes_with_each_prompt_counts_for_the_money(session: Session) -> None:
    short, _ = checked(session, setup(session, max_cost=Decimal("0.05")))
    assert short.columns[0].allowed is not None
    long, _ = checked(session, setup(session, params={"system": "word " * 2_000}, max_cost=Decimal("0.05")))
    assert long.columns[0].allowed is not None
    assert long.columns[0].allowed < short.columns[0].allowed
    with pytest.raises(CostLimitError):
        checked(session, setup(session, params={"system": "word " * 20_000}, max_cost=Decimal("0.05")))
    _, few = checked(session, setup(session))
    _, more = checked(session, setup(session, params={"system": "word " * 2_000}))
    assert few.worst is not None
    assert more.worst is not None
    assert more.worst > few.worst


def test_a_question_has_its_prompt_its_columns_options_and_what_was_left_out(session: Session) -> None:
    one = column(session, params={"temperature": 1, "max_tokens": 9})
    given = setup(
        session, one, prompts=("hi",), params={"temperature": 0, "system": "Be brief."}, as_typed="{x}",
        cuts=(Cut("x", "rows", 1, 2),),
    )  # fmt: skip
    plan = Questions(session, given).planned(one, session.models()[HAIKU], CellPlace("c1"))
    assert [(m.role, m.content) for m in plan.request.messages] == [("system", "Be brief."), ("user", "hi")]
    assert (plan.request.options.temperature, plan.request.options.max_tokens) == (1, 9)
    assert plan.request.messages[-1].typed == "{x}"
    assert plan.cuts == (Cut("x", "rows", 1, 2),)
    assert (plan.keep, plan.keeping, plan.key, plan.recalled) == (False, None, "", None)
    second = Questions(session, setup(session, prompts=("hi", "bye"))).planned(
        column(session), session.models()[HAIKU], CellPlace("c1", 1)
    )
    assert second.request.messages[-1].content == "bye"
    assert second.request.options.max_tokens is None
    assert second.cuts == ()


def test_what_was_said_before_goes_along(session: Session) -> None:
    session.ask("hello")
    one = column(session, history=session.conversation.exchanges)
    plan = Questions(session, setup(session, one)).planned(one, session.models()[HAIKU], CellPlace("c1"))
    assert [m.role for m in plan.request.messages] == ["user", "assistant", "user"]


def test_a_cap_that_the_money_sets_isnt_the_persons(session: Session) -> None:
    one = column(session, allowed=77)
    plan = Questions(session, setup(session, one)).planned(one, session.models()[HAIKU], CellPlace("c1"))
    assert plan.request.options.max_tokens == 77
    kept = setup(session, one, column(session, 2), cached=session.keeper.resolved(True))
    for each, capped in zip(kept.columns, (True, False), strict=True):
        found = Questions(session, kept).planned(each, session.models()[HAIKU], CellPlace(each.id, 0, 2))
        assert found.keeping is not None
        assert (found.keeping.repeat, found.keeping.refresh, found.keeping.is_capped) == (2, False, capped)
        assert len(found.key) == 64


def test_columns_that_ask_the_same_have_kept_answers_of_their_own(session: Session) -> None:
    place = session.keeper.resolved(True)
    kept = setup(session, *(column(session, n) for n in (1, 2, 3)), cached=place)
    plans = [Questions(session, kept).planned(c, session.models()[HAIKU], CellPlace(c.id)) for c in kept.columns]
    assert [plan.keeping and plan.keeping.duplicate for plan in plans] == [0, 1, 2]
    assert len({plan.key for plan in plans}) == 3


def test_kept_answers_are_found_unless_a_person_asks_again(session: Session, router: SandboxRouter) -> None:
    place, model = session.keeper.resolved(True), session.models()[HAIKU]
    given = setup(session, cached=place)
    assert not Questions(session, given).are_all_kept()
    first = session.compare("hi", HAIKU, cached=True)
    questions = Questions(session, given)
    assert questions.are_all_kept()
    found = questions.planned(given.columns[0], model, CellPlace("c1"))
    assert found.recalled is not None
    assert found.recalled.answer.text == first[HAIKU].text
    again = questions.planned(given.columns[0], model, CellPlace("c1"), again=True)
    assert again.recalled is None
    assert again.keeping is not None
    assert again.keeping.refresh
    assert not Questions(session, replace(given, refresh=True)).are_all_kept()
    assert not Questions(session, replace(given, cached="")).are_all_kept()
    assert not Questions(session, replace(given, prompts=("hi", "bye"))).are_all_kept()
    assert not Questions(session, replace(given, repeats=2)).are_all_kept()
    unlisted = Column("c2", "x", "x")
    assert not Questions(session, replace(given, columns=(*given.columns, unlisted))).are_all_kept()
    wrong = replace(given, params={"temperature": 9})
    assert not Questions(session, wrong).are_all_kept()
    assert asked(router) == 1
