"""What the sandbox says of a table that was sent is so: computed from it exactly, told by its summary, or not said."""

from __future__ import annotations

import contextlib
import io
import random
import re
import sqlite3
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from tetrate_jupyter.completion.cuts import Limits
from tetrate_jupyter.completion.describe import described
from tetrate_jupyter.sandbox.models import Models
from tetrate_jupyter.sandbox.replies.compose import compose
from tetrate_jupyter.sandbox.replies.reply import READ, make_ask

if TYPE_CHECKING:
    from .conftest import Api

MODELS = Models(None, list_test_models=False)
SMALL, LARGE = "claude-haiku-4-5", "claude-opus-5"
VOICES = (SMALL, "gpt-6-luna", "gpt-5.4", "gemini-2.5-pro", "xai/grok-4.5", LARGE)
HONEST = re.compile(r"^You sent |rows \d+ were sent|nobody can tell", re.MULTILINE)
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?(?![\w])")


def say(prompt: str, model: str = SMALL, earlier: tuple[str, ...] = ()) -> str:
    messages = [{"role": "user", "content": text} for text in (*earlier, prompt)]
    return compose(make_ask(model, MODELS.find(model).profile, {"messages": messages}, 0)).text


def told(question: str, table: Any, model: str = SMALL) -> str:
    """What a model says to a question that has the table in its middle, as "{wx}", or below."""
    text = described(table, "wx").text
    return say(question.replace("{wx}", text) if "{wx}" in question else f"{question}\n\n{text}", model)


WX = pd.DataFrame(
    {
        "observer": ["Bob", "Eve", "Bob", "Ann"],
        "station": ["Oslo", "Rome", "Oslo", "Bergen"],
        "Ø temp (C)": [1.2529809264964684, 20.5, 3.5, None],
        "rain [mm]": [1, 0, 5, 2],
        "day": pd.date_range("2024-01-01", periods=4),
    }
)
LONG = pd.concat([WX] * 20, ignore_index=True)


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("Which station has the highest mean Ø temp (C)?", "**Rome** has the most: `average Ø temp (C)` is 20.5."),
        ("Which station has the highest temp in {wx}?", "**Rome** has the most: `Ø temp (C)` is 20.5."),
        ("Which station has the lowest rain?", "**Rome** has the least: `rain [mm]` is 0."),
        ("Which observer had the most rain in total?", "**Bob** has the most: `total rain [mm]` is 6."),
        ("Which day has the highest rain?", "**`day` 2024-01-03 00:00:00** has the most: `rain [mm]` is 5."),
        ("Who had the most rain?", "The largest value of `rain [mm]` is **5**."),
        ("Which station has the most rows?", "**Oslo** has the most: `number of rows` is 2."),
        ("Median rain, please", "The median of `rain [mm]` is **1.5**."),
        (
            "What is the mean rain for Oslo?",
            "The average of `rain [mm]` is **3**.\n\nOnly rows with `station` Oslo are counted, 2 of 4.",
        ),
        ("How many rows are in {wx}?", "There are **4** rows."),
        ("How many missing values?", "Empty cells in all 4 rows together: **1**."),
        ("How many different stations are there?", "`station` has **3** different values"),
        ("What is the correlation between temp and rain?", "correlate with **-0.5702** (Pearson), over 3 rows"),
        (
            "What is the trend of rain over time?",
            "from 1 to 2; a straight line through all 4 values changes by **0.8**",
        ),
        ("Are there outliers in rain?", "**0** of 4 values of `rain [mm]`"),
        ("Top 2 stations by rain", "| Oslo | 5 |\n| Bergen | 2 |"),
        ("The highest rain by station", "| Oslo | 5 | 2 |\n| Bergen | 2 | 1 |\n| Rome | 0 | 1 |"),
        ("Describe {wx}: what is in it, and what stands out?", "4 rows, 5 columns."),
    ],
)
def test_a_table_is_answered_from(question: str, says: str) -> None:
    assert says in told(question, WX)


@pytest.mark.parametrize(
    "question",
    [
        "Which station is nicest?", "What was the mean rain in winter?", "Mean rain above 2?",
        "Total rain after 2024-01-02",
        "What is the mean rain without Oslo?", "Which one is best?", "Will it rain tomorrow?",
        "Why is the temp so low?",
        "What is the mean?", "What is the mean snow?", "Which station has the highest mean?", "Mean rain and temp",
        "Which observer moved from Rome to Oslo?",
        "Predict the rain of the next day", "I'm only interested in Oslo in winter. Total rain?",
        "Total rain. Answer for winter.", "Mean and median rain",
    ],
)  # fmt: skip
@pytest.mark.parametrize("model", VOICES)
def test_what_is_not_understood_is_not_answered(question: str, model: str) -> None:
    text = told(question, WX, model)
    assert text.startswith("You sent a table of 4 rows and 5 columns (`observer`, ")
    assert "sandbox computes simple things" in text
    assert "**" not in text


@pytest.mark.parametrize(
    "question",
    [
        "Which station has the highest mean temp?", "Which station has the highest temp?", "Total rain by station",
        "Top 2 stations by rain", "Correlation of temp and rain", "Outliers of rain", "Trend of rain", "Median rain",
    ],
)  # fmt: skip
@pytest.mark.parametrize("model", [SMALL, "gpt-5.4", LARGE])
def test_what_only_all_rows_can_tell_is_not_told_of_some(question: str, model: str) -> None:
    text = told(question, LONG, model)
    assert HONEST.search(text)
    assert "**" not in text
    assert run(re.findall(r"```python\n(.*?)```", text, re.DOTALL)[0], df=LONG)


def test_what_the_summary_tells_of_all_rows_is_told() -> None:
    assert "The total of `rain [mm]` is **160**." in told("Total rain", LONG)
    assert "The average of `Ø temp (C)` is **≈ 8.4176603088" in told("What is the mean temp?", LONG)
    assert "is empty in **20** of 80 rows" in told("How many missing values are there in Ø temp (C)?", LONG)
    assert "**Oslo** has the most: `number of rows` is 40." in told("Which station is most frequent?", LONG)
    assert "There are **80** rows." in told("How many rows are in {wx}?", LONG)


def test_what_was_cut_off_is_not_taken_for_all() -> None:
    table = "| who | n |\n| --- | --- |\n" + "".join(f"| p{n} | {n} |\n" for n in range(5_000))
    text = say(f"Which who has the highest n?\n\n{table}")
    assert "has the most" not in text
    assert "an unknown number of rows" in text


def test_two_tables_are_told_apart_by_the_columns_that_are_named() -> None:
    other = pd.DataFrame({"city": ["A", "B"], "people": [1, 2]})
    both = f"{described(WX, 'a').text}\n\n{described(other, 'b').text}"
    assert "**B** has the most: `people` is 2." in say(f"Which city has the highest people?\n\n{both}")
    assert say(f"What is the total?\n\n{both}").startswith("You sent a table of 4 rows")


def test_names_that_are_words_of_questions() -> None:
    table = pd.DataFrame({"name": ["x", "y", "y"], "mean": [1.5, 2.5, 3.0], "a": [3, 1, 2], "{value}": [7, 8, 9]})
    assert "The average of `mean` is **2.333333**." in told("What is the average of mean?", table)
    assert "The total of `a` is **6**." in told("What is the total of `a`?", table)
    assert "The median of `{value}` is **8**." in told("median of {value}", table)
    assert told("What is a total?", table).startswith("You sent")
    twice = pd.DataFrame([[1, 2], [3, 4]], columns=["n", "n"])
    assert told("What is the total of n?", twice).startswith("You sent")


def test_a_name_shared_by_two_that_lead_is_both() -> None:
    table = pd.DataFrame({"who": ["x", "y", "z"], "n": [2, 2, 1]})
    assert "**x, y** have the most: `n` is 2." in told("Which who has the highest n?", table)


def test_a_table_of_before_is_gone_on_with(api: Api) -> None:
    before = f"Which station has the highest mean temp?\n\n{described(WX, 'wx').text}\n\nIt is the variable wx."
    text = say("SQL for the same", earlier=(before,))
    assert 'SELECT "station", AVG("Ø temp (C)") AS result FROM "wx" GROUP BY "station"' in text
    for again in ("Now that in Python", "Show it as pandas code.", "Python code for this, please", "Do these with SQL"):
        assert "station" in say(again, earlier=(before,)), again
    prime = say("Write a Python function that tells whether a number is prime.", earlier=(before,))
    assert "def is_prime" in prime
    assert "station" not in prime
    assert "The average of `rain [mm]` is **2**." in say("And the average rain?", earlier=(before,))
    for other in ("Tell me a joke", "Explain recursion"):
        assert "station" not in say(other, earlier=(before,))


# --- code ------------------------------------------------------------------------------------------------------


def run(code: str, **names: Any) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.ExitStack() as after:
        after.callback(plt.close, "all")
        exec(compile(code, "answer", "exec", dont_inherit=True), {"__name__": "__main__", "pd": pd, **names})
    return printed.getvalue()


def code_in(text: str, form: str = "python") -> str:
    found = re.findall(rf"```{form}\n(.*?)```", text, re.DOTALL)
    assert len(found) == 1, text
    return str(found[0])


@pytest.mark.parametrize("model", VOICES)
def test_the_card_that_plots_gives_code_for_the_real_table(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    asked = "Write Python code that plots what matters most in {wx}. It is the variable wx."
    code = code_in(told(asked, WX, model))
    assert "wx['day'], wx['Ø temp (C)']" in code
    run(code, wx=WX)


CODE = (
    "Write Python code that finds the station with the highest mean `price ($)`", "Python for the mean `price ($)`",
    "Write code for the rows with the 2 highest `price ($)`", "Clean the columns of {wx}", "Fill the missing values",
    "Plot {wx}", "Plot `price ($)` by `a|b`", "Plot a histogram of `price ($)`",
        "Python for the outliers of `price ($)`",
    "Python code for the correlation of `price ($)` and `n`", "Python code for the trend of `price ($)`",
        "Describe {wx} in Python",
    "pandas code: missing values", "Python: how many different `a|b`?", "Python: how many rows?",
        "Python: total `n` by `a|b`",
    "Python: the mean `n` for `x`",
)  # fmt: skip


@pytest.mark.parametrize("question", CODE)
@pytest.mark.parametrize("kind", ["names", "twice", "numbers", "index", "series"])
def test_the_code_runs_on_the_table_itself(question: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    rows = [["x", 1.5, 1, "u"], ["y", None, 2, "v"], ["x", 9.25, 4, "w"], ["z'\"", 2.0, 3, None]]
    table: Any = pd.DataFrame(rows, columns=["a|b", "price ($)", "n", "station"])
    if kind == "twice":
        table.columns = ["a|b", "price ($)", "n", "n"]
    elif kind == "numbers":
        table.columns = [0, "price ($)", 2, "station"]
    elif kind == "index":
        table = table.set_index("a|b")
    elif kind == "series":
        table = table.set_index("a|b")["price ($)"]
    before = table.copy()
    text = told(question, table)
    if not text.startswith("You sent"):
        run(code_in(text), df=table)
    else:
        assert kind != "names" or "station" in question or "for `x`" in question, text
    assert table.equals(before)


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("SQL for the mean `n` by `a b`", [("y", 5.0), ("x", 2.0)]),
        ("Write a SQL query: which `a b` has the highest total `n`?", [("y", 5)]),
        ("SQL: total `n`", [(9,)]), ("SQL: how many rows?", [(3,)]), ("SQL: how many different `a b`?", [(2,)]),
        ("SQL: top 2 rows by `n`", [("y", 5), ("x", 3)]), ("SQL: how many missing in `n`?", [(0,)]),
        ("SQL: which `a b` has the most rows?", [("x", 2)]),
    ],
)  # fmt: skip
def test_the_sql_gives_what_was_asked_for(question: str, wanted: list[Any]) -> None:
    table = pd.DataFrame({"a b": ["x", "y", "x"], "n": [1, 5, 3]})
    data = sqlite3.connect(":memory:")
    table.to_sql("df", data, index=False)
    assert data.execute(code_in(told(question, table), "sql")).fetchall() == wanted
    data.close()


# --- any table -------------------------------------------------------------------------------------------------

NAMES = (
    "Ø temp (C)",
    "t.max [°C]",
    "units_sold",
    "price ($)",
    "größe",
    "x|y",
    "{value}",
    "day rate",
    "Mean",
    "n",
    "a",
    "max",
)
LABELS = ("station", "Who", "region of origin", "name", "type")
VALUES = ("Bob", "Ann", "A|b", "North West", "1.5x", "Łódź")


def any_table(rng: random.Random, rows: int) -> pd.DataFrame:
    made: dict[str, list[Any]] = {}
    for name in rng.sample(LABELS, 2):
        made[name] = [rng.choice(VALUES) for _ in range(rows)]
    for name in rng.sample(NAMES, 3):
        kind = rng.randrange(3)
        values: list[Any] = [
            [rng.randrange(-50, 1_000), rng.uniform(-9, 9), rng.choice([1e-7, 2.5, -3.125, 1e9])][kind]
            for _ in range(rows)
        ]
        if rng.random() < 0.5:
            values[rng.randrange(rows)] = None
        made[name] = values
    return pd.DataFrame(made)[rng.sample(list(made), 5)]


def numbers_in(text: str, names: tuple[str, ...] = (*NAMES, *LABELS, *VALUES)) -> set[float]:
    text = re.sub(
        r"^(?:\d+\. I |\| \d+ \| (?=.*\|$)|\*\*Row \d+)", " ", text, flags=re.MULTILINE
    )  # steps, and rows' own numbers
    for name in sorted(names, key=len, reverse=True):
        text = text.replace(name.replace("|", "\\|"), " ").replace(name, " ")
    return {float(found.replace(",", "")) for found in NUMBER.findall(text)}


def figures(table: pd.DataFrame) -> set[float]:
    """Every figure that may be told of a whole table."""
    found: set[float] = {float(len(table)), float(table.shape[1]), float(table.isna().sum().sum())}
    found |= {
        float(count)
        for column in table
        for count in (table[column].isna().sum(), table[column].count(), table[column].nunique())
    }
    numeric = table.select_dtypes("number")
    labels = table.select_dtypes(exclude="number")
    for name in numeric:
        column = numeric[name].dropna()
        low, high = column.quantile(0.25), column.quantile(0.75)
        bounds = (low - 1.5 * (high - low), high + 1.5 * (high - low))
        found |= {*map(float, bounds), float(((column < bounds[0]) | (column > bounds[1])).sum())}
        places = pd.Series(range(len(column)), dtype=float, index=column.index)
        found |= {float(places.cov(column) / places.var())} if len(column) > 1 else set()
        found |= {float(getattr(column, what)()) for what in ("sum", "mean", "median", "min", "max")} | set(
            map(float, column)
        )
        for label in labels:
            for what in ("sum", "mean", "median", "min", "max", "count"):
                found |= set(map(float, numeric[name].groupby(table[label]).agg(what).dropna()))
    found |= {float(count) for label in labels for count in table[label].value_counts()}
    found |= {float(len(numeric[[one, two]].dropna())) for one in numeric for two in numeric}
    return found | {round(float(value), 4) for value in numeric.corr().stack().dropna()}


def is_near(number: float, known: set[float]) -> bool:
    """Whether a number is one of those, as it is written: six decimals, six digits where it is small."""
    allowed = {each: 1e-5 * abs(each) + 1e-15 if abs(each) < 1e-3 else max(5.1e-7, 1e-9 * abs(each)) for each in known}
    return any(abs(number - each) <= by for each, by in allowed.items())


def questions(rng: random.Random, table: pd.DataFrame) -> list[str]:
    numeric, labels = list(table.select_dtypes("number")), list(table.select_dtypes(exclude="number"))
    y, z, x = rng.choice(numeric), rng.choice(numeric), rng.choice(labels)
    quoted = [f"`{name}`" for name in (y, z, x)]
    asked = []
    for one, two, by in (quoted, (y, z, x)):
        what, end = (
            rng.choice(["mean", "average", "median", "total"]),
            rng.choice(["highest", "lowest", "most", "fewest"]),
        )
        asked += [
            f"Which {by} has the {end} {one}?", f"Which {by} has the {end} {what} {one}?",
        f"What is the {what} of {one}?",
            f"{what} {one} by {by}", f"How many different {by} are there?", f"How many missing in {one}?",
        "How many rows?",
            f"Correlation between {one} and {two}", f"Trend of {one}", f"Top 3 {by} by {one}", f"Outliers in {one}",
        "Describe it",
            f"Which {by} has the most rows?", f"What is the {what} {one} for Bob?", f"The {end} {one}",
        f"How many {by}?",
        ]  # fmt: skip
    return asked


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(25))
def test_every_number_is_in_what_was_sent_or_computed_from_it(seed: int) -> None:
    rng = random.Random(seed)
    table = any_table(rng, rng.choice([2, 3, 5, 12, 30]))
    known = figures(table)
    bob = {name: table[table[name] == "Bob"] for name in table.select_dtypes(exclude="number")}
    for part in bob.values():
        known |= figures(part) if len(part) else set()
    for question in questions(rng, table):
        model = rng.choice(VOICES)
        text = told(question, table, model)
        if not text.startswith("You sent"):
            wrong = [n for n in numbers_in(text) if not is_near(n, known | {1.5, 3.0})]
            assert not wrong, (question, model, text)


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(25))
def test_of_a_part_nothing_is_said_but_what_the_summary_says(seed: int) -> None:
    rng = random.Random(seed)
    table = any_table(rng, rng.choice([31, 60, 500]))
    sent = numbers_in(described(table, "t").text.replace("≈ ", ""))
    for question in questions(rng, table):
        model = rng.choice(VOICES)
        text = told(question, table, model)
        if not HONEST.search(text):
            wrong = numbers_in(text) - sent - {float(table.isna().sum().sum())}
            assert not wrong, (question, model, text)
            assert "all" in text, text


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(25))
def test_the_right_name_is_given(seed: int) -> None:
    rng = random.Random(seed)
    table = any_table(rng, rng.choice([2, 5, 12, 30]))
    for y in table.select_dtypes("number"):
        for x in table.select_dtypes(exclude="number"):
            for what, end in (("mean", "highest"), ("total", "lowest"), ("median", "highest")):
                text = told(f"Which `{x}` has the {end} {what} `{y}`?", table)
                groups = table[[x, y]].dropna().groupby(x)[y].agg({"total": "sum"}.get(what, what))
                best = groups.max() if end == "highest" else groups.min()
                named = re.findall(r"^\*\*(.+?)\*\* ha(?:s|ve) the", text)
                if len(groups):
                    assert named, text
                    assert set(named[0].split(" and ")[0].split(", ")) <= set(
                        groups[(groups - best).abs() < 1e-6].index
                    )


PIECES = (
    "|", "| a | b |", "| --- | --- |", "| 1 | 2 |", "| x | 1e999 |", "| 1e-400 | -5 |", "DataFrame: 3 rows, 2 columns",
    "a: int64, b: str", "Series n: 2 values, int64", "[Only 1 of 9 rows are here: x]", "| … | … |", "| a\\|b | \\n |",
    "Summary of all 9 rows, those left out included:", "- a: 9 values, 0 missing, min 1, max 2, sum 3, mean ≈ 1.5",
    "- b: 9 values, 0 missing, 2 different; most frequent: 'x' 5, 'y' 4", "which b has the highest a?", "mean a by b",
    "SQL", "plot", "top 3 b by a",
    "correlation", "outliers of a", "trend", "describe", "for x", "fill missing", "clean",
    "\ue000\ue001", "- no room for 3 more columns", "how many rows",
    " … and 7 more columns", "polars DataFrame: 1 rows, 1 columns",
)  # fmt: skip


@pytest.mark.heavy
@pytest.mark.parametrize("seed", range(5))
def test_any_pieces_of_tables_and_questions_are_read_without_an_error(seed: int) -> None:
    rng = random.Random(seed)
    for _ in range(50):
        text = "\n".join(rng.choice(PIECES) for _ in range(rng.randrange(2, 14)))
        head = "Which b has the highest a?\n\n| a | b |\n| --- | --- |\n" if rng.random() < 0.5 else ""
        assert say(head + text, rng.choice(VOICES), ("| a | b |\n| --- | --- |\n| 1 | x |",))


def test_one_of_very_many_columns_is_found() -> None:
    names = [f"c{n} x" for n in range(800)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in (names, ["---"] * 800, ["1"] * 800, ["2"] * 800))
    assert "The total of `c7 x` is **3**." in say(f"Total c7 x\n\n{table}")


def test_a_long_table_is_read_to_its_end_with_its_summary() -> None:
    long = pd.concat([WX] * 500, ignore_index=True)
    whole = described(long, "wx", Limits(None, 300_000, False)).text
    part = described(long, "wx", Limits(None, 60_000, False)).text
    assert len(whole) > len(part) > 2 * READ
    assert "is **4000**" in say(f"What is the sum of rain [mm]?\n\n{whole}")
    assert "of all 2,000 rows by the summary" in say(f"What is the sum of rain [mm]?\n\n{part}")
    assert "of 2,000 rows" in say(f"What is the median of rain [mm]?\n\n{part}")
    assert "4000" in say("And the sum of rain [mm]?", earlier=(f"What is in it?\n\n{whole}",))
