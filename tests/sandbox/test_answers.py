"""The written answers fit what was asked, differ from model to model, are right, and stay away from everything else."""

from __future__ import annotations

import contextlib
import io
import json
import re
import sqlite3
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from tetrate_jupyter.completion.describe import described
from tetrate_jupyter.sandbox import pace
from tetrate_jupyter.sandbox.models import Models
from tetrate_jupyter.sandbox.replies.answers import entries, is_alike, topic_of
from tetrate_jupyter.sandbox.replies.compose import compose
from tetrate_jupyter.sandbox.replies.reply import make_ask

from .conftest import events

if TYPE_CHECKING:
    from .conftest import Api

MODELS = Models(None, list_test_models=False)
SMALL, SMALL_TOO, MEDIUM, LARGE = "claude-haiku-4-5", "gpt-6-luna", "claude-sonnet-5", "claude-opus-5"
VOICES = (SMALL, SMALL_TOO, "gpt-5.4", "gemini-2.5-pro", "xai/grok-4.5", "groq/openai/gpt-oss-120b", LARGE)
SANDBOX_HAS_NONE = "there is no written answer|I'd rather not make something up|I don't want to pretend"


def say(prompt: str, model: str = SMALL, seed: int = 0, **body: Any) -> str:
    """What a model says; the same as over HTTP, which a few tests below and all others of this folder go through."""
    messages = [{"role": "user", "content": prompt}]
    return compose(make_ask(model, MODELS.find(model).profile, {"messages": messages, **body}, seed)).text


# --- what fits -----------------------------------------------------------------------------------------------

FITS = {  # prompt: what the answer of any model has in it
    "What is a language model router? Answer in two sentences.": "router",
    "Tell me about routers.": "router",
    "Write a haiku about notebooks.": "\n",
    "Write a haiku about the sea.": "sea",
    "haiku on autumn leaves please": "autumn leaves",
    "Write me a poem about rain": "rain",
    "A limerick about cats, please": "cats",
    "Tell me a joke": "",
    "Tell me a story about a lighthouse.": "",
    "Write an essay about climate change": "limate change",
    "Write an essay on trust": "rust",
    "Plan three days in Lisbon": "Lisbon",
    "Make a study plan for learning SQL in four weeks": "SQL",
    "Write a project plan for the launch": "launch|Must|riskiest|risk",
    "Give me a meal plan for the week": "soup",
    "What should I pack for a weekend? A packing list.": "harger",
    "Write an email about the late delivery": "late delivery",
    "Write an email to decline a meeting": "Thursday",
    "Give me names for a coffee shop": "coffee shop",
    "Pros and cons of remote work": "remote work",
    "Explain recursion": "def ",
    "Explian recursoin simply": "def ",
    "What is overfitting and how do I avoid it?": "data",
    "Explain embeddings": "embedding",
    "What is a token?": "token",
    "What does temperature do in an LLM?": "emperature",
    "What is RAG?": "passages",
    "Explain PKCE": "verifier",
    "What is a p-value?": "no effect",
    "Why is the sky blue?": "scatter",
    "Explain photosynthesis": "light",
    "Explain quantum computing in simple terms": "qubit|amplitude",
    "Python vs R?": "Python",
    "What is the difference between a list and a tuple?": "tuple",
    "What's the capital of Australia?": "Canberra",
    'Translate "Good morning, how are you?" to French': "Bonjour, comment allez-vous",
    "How do you say thank you in Japanese?": "ありがとう",
    "Correct the grammar: 'He go to school yesterday'": "went",
    "Write a Python function for Fibonacci numbers": "```python",
    "fibonnaci in python please": "```python",
    "Write a Python function that tells whether a number is prime.": "def is_prime",
    "Write a fizzbuzz program": "Fizz",
    "How do I plot a bar chart from a DataFrame?": "plt",
    "SQL query for the top 5 customers by revenue": "LIMIT 5",
    "Write a SQL query to find duplicates": "HAVING",
    "Write SQL for monthly revenue": "month",
    "Write a regular expression for email addresses": "@",
    "regex to match an ISO date": r"\\d\{4\}",
    "Fix this error: KeyError: 'price'": "df.columns",
    "ModuleNotFoundError: No module named 'polars'": "pip install",
    "NameError: name 'df' is not defined": "cell",
    "What is the quadratic formula?": "b\\^2",
    "Solve x^2 - 5x + 6 = 0": "x = 3",
    "Probability that two dice sum to 7?": "1/6",
    "Create a table of the planets": "Mercury",
    "Show off Markdown with code, a table and math.": "frac",
    "How do I undo my last git commit?": "reset --soft",
    "Hello!": "",
    "Who are you?": "stand-in",
}


@pytest.mark.parametrize("prompt", FITS)
def test_a_prompt_is_answered_by_every_model(prompt: str) -> None:
    for model in VOICES:
        text = say(prompt, model)
        assert re.search(FITS[prompt], text, re.IGNORECASE), (model, text)
        assert not re.search(SANDBOX_HAS_NONE, text), (model, text)
        assert not re.search(
            r"[Ss]imulat|\{(topic|Topic|key|Key|value|column|model|pattern|means|fix|one|other)\}", text
        )


@pytest.mark.parametrize("prompt", [p for p in FITS if "Japanese" not in p and "Canberra" not in FITS[p]])
def test_models_answer_in_their_own_way(prompt: str) -> None:
    texts = {model: say(prompt, model) for model in (SMALL, SMALL_TOO, MEDIUM, LARGE, "xai/grok-4.5", "gemini-2.5-pro")}
    if "sentence" not in prompt and "Markdown" not in prompt:
        assert len(set(texts.values())) >= 3, texts


def test_larger_models_say_more() -> None:
    for prompt in FITS:
        if not re.search(r"sentences|Markdown|joke|Hello|haiku|poem|capital|say thank|planets", prompt):
            assert len(say(prompt, LARGE)) > len(say(prompt, SMALL)), prompt


@pytest.mark.parametrize("prompt", ["Write an essay about the sea.", "Write a long essay on trust"])
def test_an_essay_takes_as_long_as_one_needs_to_find_stop(prompt: str, api: Api) -> None:
    for model in VOICES:
        text, rate = say(prompt, model), MODELS.find(model).profile.rate
        assert 13 <= sum(seconds for _, seconds in pace.pieces(text, min(rate, 60))) <= 22, model
        assert "{" not in text
        assert "\n\n\n" not in text
    streamed = events(api.chat(prompt, SMALL, stream=True).text)[:-1]
    sent = [text for chunk in streamed if (text := chunk["choices"][0]["delta"].get("content"))]
    assert sent == [text for text, _ in pace.pieces("".join(sent), 60)]  # in as small steps as that pace has
    brief = say("Write a brief essay about the sea.", SMALL)
    assert len(brief) < 400


OTHERS = [  # each has a word of some answer, and is about something else
    "How much capital did France raise in its last bond sale?",
    "Why does my haiku parser fail on line 3?",
    "Review my essay about trust",
    "What is the weather in Oslo?",
    "Who won the world cup in 2018?",
    "How many people live in Norway?",
    "Which stocks should I buy?",
    "What did the router say to the switch in the basement last Tuesday when nobody was listening?",
    "My KeyError handling in production loses half the transactions; why would the retries double?",
    "Explain the causes of the Peloponnesian war",
    "Summarise the French Revolution",
    "Is a tomato a fruit?",
    "Describe the smell of a prime rib roast",
    "When was the token ring network standardised?",
    "Our sky-diving club needs a treasurer who hates meetings and loves spreadsheets",
    "Does gravity bend the grammar of this sentence about penguins and their kings?",
]


@pytest.mark.parametrize("prompt", OTHERS)
@pytest.mark.parametrize("model", [SMALL, "gpt-5.4", LARGE])
def test_what_is_not_written_is_not_made_up(prompt: str, model: str) -> None:
    text = say(prompt, model)
    assert re.search(SANDBOX_HAS_NONE, text), text
    assert len(re.findall(r"\*[^*\n]{8,}[^*\n]*\*", text)) >= 3  # what it does well
    assert "simulat" not in text.lower()


@pytest.mark.parametrize("model", [SMALL, LARGE])
def test_a_frame_is_given_for_code_that_is_not_written(model: str) -> None:
    text = say("Write Python code to rotate a matrix", model)
    assert "no ready piece" in text
    run_python(fenced(text, "python")[0])


def test_seeds_and_models_of_a_kind_draw_from_several() -> None:
    assert len({say("Tell me a joke", SMALL, seed) for seed in range(8)}) > 1
    assert len({say("Write a haiku about tea", MEDIUM, seed) for seed in range(8)}) > 1


@pytest.mark.parametrize(
    ("word", "wanted", "is_it"),
    [
        ("recursoin", "recursion", True), ("fibonnaci", "fibonacci", True), ("embeddings", "embedding", True),
        ("palindrom", "palindrome", True), ("translation", "transaction", False), ("primer", "prime", False),
        ("token", "taken", False), ("essay", "easy", False), ("haikus", "haiku", True),
    ],
)  # fmt: skip
def test_slips_of_the_pen_are_borne_and_other_words_are_not(word: str, wanted: str, is_it: bool) -> None:
    assert is_alike(word, wanted) is is_it


@pytest.mark.parametrize(
    ("prompt", "topic"),
    [
        ("Write a haiku about the sea.", "the sea"), ("an essay on trust for my class", "trust"),
        ("Plan three days in Lisbon", "Lisbon"), ("Tell me a joke", ""), ("Write about", ""),
        ("poem about " + "very " * 40 + "long things", ""),
    ],
)  # fmt: skip
def test_the_topic_is_what_stands_after_about(prompt: str, topic: str) -> None:
    assert topic_of(prompt) == topic


# --- the form that was asked for -----------------------------------------------------------------------------


@pytest.mark.parametrize("model", VOICES)
def test_two_sentences_are_two(model: str) -> None:
    text = say("What is a language model router? Answer in two sentences.", model)
    assert len(re.findall(r"[.!?](?:\s|$)", text)) == 2, text
    assert text.count("\n") == 0


def test_three_names_are_three() -> None:
    for model in VOICES:
        text = say("Give me three names for a coffee shop", model)
        assert re.findall(r"(?m)^(\d)\. ", text) == ["1", "2", "3"]


def test_only_the_word_is_said_where_only_that_is_wanted() -> None:
    assert say("What is the capital of Japan? Answer with one word.") == "Tokyo"


def test_the_written_json_is_json() -> None:
    for prompt in ("Give me JSON with three planets", "Return a JSON list of three cities with their population."):
        found = json.loads(say(prompt, LARGE))
        assert len(found) == 3
        assert all(set(each) >= {"name"} for each in found)


def test_a_key_in_the_prompt_is_never_needed_to_answer(api: Api) -> None:
    assert "Paris" in api.text("What is the capital of France?")


# --- code ----------------------------------------------------------------------------------------------------


def fenced(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)\n```", text, re.DOTALL)


def pieces(language: str) -> list[Any]:
    found = []
    for entry in entries().values():
        for head, lines in entry.versions:
            code = fenced("\n".join(lines), language)
            found += [
                pytest.param(c, id=f"{entry.title}, {' '.join(sorted(head))}")
                for c in code
                if not re.search(r"\{(?:function|code)\}", c)
            ]
    return found


def run_python(code: str) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "answer", "exec", dont_inherit=True), {"__name__": "__main__"})
    return printed.getvalue()


@pytest.mark.parametrize(
    "prompt",
    [
        "Write a Python function that tells whether a number is prime.", "FizzBuzz", "Implement binary search",
        "Explain gradient descent", "What is the difference between precision and recall?", "How does PCA work?",
        "Explain the bias-variance tradeoff", "What is k-means clustering?", "Which is larger, 9.11 or 9.9?",
        "What is a language model router?", "How do I merge two DataFrames?",
    ],
)  # fmt: skip
def test_the_first_three_models_differ(prompt: str) -> None:
    answers = {say(prompt, model) for model in ("claude-haiku-4-5", "gpt-6-luna", "gemini-3.8-flash")}
    assert len(answers) == 3
    assert not any(re.search(SANDBOX_HAS_NONE, answer) for answer in answers)


def test_only_the_code_is_said_where_only_that_is_wanted() -> None:
    text = say("Implement binary search. Answer with only the code.", "claude-haiku-4-5")
    assert text.startswith("```python")
    assert text.endswith("```")


@pytest.mark.parametrize("code", pieces("python"))
def test_every_piece_of_python_runs(code: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    printed = run_python(code)
    assert printed or "print(" not in code


@pytest.mark.parametrize("code", pieces("sql"))
def test_every_piece_of_sql_runs(code: str) -> None:
    data = sqlite3.connect(":memory:")
    data.execute("CREATE TABLE orders (customer TEXT, amount REAL, ordered_on TEXT)")
    data.execute("CREATE TABLE customers (name TEXT)")
    rows = [(c, float(n), f"2026-0{1 + n % 3}-02") for c in "abc" for n in range(4)] + [("a", 1.0, "2026-02-02")]
    data.executemany("INSERT INTO orders VALUES (?, ?, ?)", rows)
    data.execute("INSERT INTO customers VALUES ('a')")
    assert data.execute(code).fetchall()
    data.close()


def test_every_regular_expression_matches_what_it_says() -> None:
    entry = entries()["Regular expression"]
    for name, row in entry.rows.items():
        pattern, good, bad = (row[column].strip("`") for column in ("pattern", "matches", "not"))
        assert re.search(pattern, good), name
        assert not re.search(pattern, bad), name


def test_every_table_of_the_files_is_whole_and_every_slot_is_filled() -> None:
    for entry in entries().values():
        assert entry.versions, entry.title
        assert entry.patterns or entry.errors or entry.form == "data", entry.title
        groups = {name for error in entry.errors for name in re.compile(error).groupindex}
        known = {
            *groups,
            *({"near"} if groups else ()),
            *({"middle"} if entry.middle else ()),
            "sales",
            "df",
            "topic",
            "Topic",
            "key",
            "Key",
            "column",
            "value",
            "model",
            *entry.columns,
        }
        if entry.form != "data":
            for _, lines in entry.versions:
                text = re.sub(r"```.*?```|`[^`]*`|\$+[^$]*\$+", "", "\n".join(lines), flags=re.DOTALL)
                assert set(re.findall(r"\{(\w+)\}", text)) <= known, entry.title
                assert "{topic}" not in text.lower() or entry.topic, entry.title


# --- data ----------------------------------------------------------------------------------------------------

SALES = pd.DataFrame(
    {"region": ["North", "South", "West", "South"], "units": [120, 95, 143, 60], "price": [2.5, 2.75, 2.4, 1.9]}
)
MANY = pd.DataFrame({"region": ["A", "B"] * 100, "units": range(200)})


def told(question: str, table: pd.DataFrame, model: str = SMALL) -> str:
    return say(f"{question}\n\n{described(table, 'sales').text}", model)


@pytest.mark.parametrize("model", VOICES)
def test_sums_of_groups_are_right(model: str) -> None:
    text = told("Total units by region", SALES, model)
    totals = SALES.groupby("region")["units"].sum()
    for region, total in totals.items():
        assert f"| {region} | {total} |" in text
    rows = re.findall(r"\| (North|South|West) \|", text)
    assert rows == ["South", "West", "North"]


@pytest.mark.parametrize("model", VOICES)
def test_the_most_is_a_matter_of_sums_where_a_label_repeats(model: str) -> None:
    assert "**South** has the most: `total units` is 155." in told("Which region sold the most units?", SALES, model)
    assert "**South** has the least: `price` is 1.9." in told("Which region has the lowest price?", SALES, model)
    assert "**North** has the most: `average price` is 2.5." in told(
        "Which region has the highest average price?", SALES, model
    )


def test_one_figure_of_a_column() -> None:
    assert "**2.3875**" in told("What is the average price?", SALES)
    assert "**418**" in told("How many units altogether, in total?", SALES)
    assert "**107.5**" in told("What is the median of units?", SALES)
    assert "**4** rows" in told("How many rows are there?", SALES)


def test_a_part_is_told_to_be_one() -> None:
    for model in VOICES:
        text = told("Which region sold the most units?", MANY, model)
        assert "has the most" not in text
        for answer in (text, told("Total units by region", MANY, model)):
            assert re.search("of 200 rows 15 were sent|15 rows that were sent, of 200", answer)
            assert "groupby(df['region']).sum()" in answer


def test_the_summary_counts_for_all_rows() -> None:
    text = told("What is the total of units?", MANY, LARGE)
    assert "**19900**, over 200 values" in text
    assert "all 200 rows" in text
    assert "from 0 to 199" in text


def test_an_overview_names_columns_and_ranges() -> None:
    text = told("What stands out in this data?", SALES, LARGE)
    assert "4 rows and 3 columns" in text
    assert "`units` goes from 60 to 143" in text


def test_an_earlier_table_is_remembered_where_its_column_is_named(api: Api) -> None:
    messages = [
        {"role": "user", "content": f"Which region sold the most units?\n\n{described(SALES, 's').text}"},
        {"role": "assistant", "content": "South."},
        {"role": "user", "content": "And the average price?"},
    ]
    assert "2.3875" in api.text("", messages=messages)
    messages[-1]["content"] = "Tell me a joke"
    assert "2.3875" not in api.text("", messages=messages)


def test_a_cell_may_hold_a_bar() -> None:
    table = pd.DataFrame({"name": ["a|b", "c"], "n": [2, 1]})
    assert "has the most: `n` is 2" in told("Which name has the most n?", table)
