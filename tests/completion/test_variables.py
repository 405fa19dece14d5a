"""Variables in prompts: what is replaced, what stays as typed, and that reading a value runs no code of the person."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import enum
import functools
import math
import pathlib
import random
import re
import string
import types
from typing import Any, NoReturn

import pytest

from tetrate_jupyter.completion.variables import (
    Interpolated,
    computed,
    interpolate,
    near_misses,
    note_on_unknown,
    unknown_names,
)
from tetrate_jupyter.errors import AttachmentError, SecretInPromptError
from tetrate_jupyter.secret import Secret
from tetrate_jupyter.types import Image


@dataclasses.dataclass
class Order:
    id: int
    items: list[str]


class Slotted:
    __slots__ = ("empty", "x")

    def __init__(self) -> None:
        self.x = 5


class Trap:
    """Everything that reads it through its own code fails the test."""

    plain = "class attribute"

    def __init__(self) -> None:
        self.mine = "instance attribute"

    def _boom(self, *_: object) -> NoReturn:
        pytest.fail("the person's code was run")

    computed = property(_boom)
    cached = functools.cached_property(_boom)
    method = _boom
    __getattr__ = __getitem__ = __call__ = __len__ = _boom

    @staticmethod
    def static() -> None:
        pytest.fail("the person's code was run")

    @classmethod
    def of(cls) -> None:
        pytest.fail("the person's code was run")


class Descriptor:
    def __get__(self, instance: object, owner: object) -> NoReturn:
        pytest.fail("the person's code was run")


class Colour(enum.Enum):
    RED = "red"


NAMESPACE: dict[str, Any] = {
    "name": "Bo",
    "n": 3,
    "a": 1,
    "b": 2,
    "i": 4,
    "x": 5,
    "k": 6,
    "year": 2020,
    "prefix": "p",
    "text": "hi",
    "user": {"name": "Eve", "tags": ["t0", "t1"], "a]b": 7, 0: "zero"},
    "order": Order(7, ["nut", "bolt"]),
    "größe": 1.8,
    "empty": "",
    "braces": "{name} {{name}}",
    "os": pathlib,
    "len": len,
    "Order": Order,
    "helper": lambda: 1,
    "_": "previous output",
    "_private": "secret plan",
    "trap": Trap(),
}


def filled(text: str, **more: object) -> str:
    return interpolate(text, {**NAMESPACE, **more}).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("Hello {name}!", "Hello Bo!"),
        ("{name}", "Bo"),
        ("{name}{n}{name}", "Bo3Bo"),
        ("{user['name']} {user[\"name\"]}", "Eve Eve"),
        ("{user['tags'][0]} {user['tags'][-1]}", "t0 t1"),
        ("{user['a]b']} {user[0]}", "7 zero"),
        ("{order.id} {order.items[1]}", "7 bolt"),
        ("{name[0]}", "B"),
        ("{größe} m", "1.8 m"),
        ("<{empty}>", "<>"),
        ('{"greeting": "{name}", "n": {n}}', '{"greeting": "Bo", "n": 3}'),
        ("```python\n{text}\n```", "```python\nhi\n```"),
        ("{prefix}_{year}.csv", "p_2020.csv"),
        ("report_{year}.csv", "report_2020.csv"),
        ("my_x_{year}", "my_x_2020"),
        ("price: $ {n}, {n} $", "price: $ 3, 3 $"),
        ("$5 for {name}, $6 for {n}", "$5 for Bo, $6 for 3"),
        ("US$7 and {name}\n\n$8", "US$7 and Bo\n\n$8"),
    ],
)
def test_a_variable_in_single_braces_is_replaced(text: str, expected: str) -> None:
    assert filled(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "{unknown} {unknown.attribute} {unknown[0]}",
        "{ name } {name } { name}",
        "{name!r} {name:>10} {name=} {n:.2f} {n + 1} {name,} {name;}",
        "{name()} {user.get('name')} {order.items[0:1]} {user[name]} {user[n]} {order..id} {order.}",
        "{} {{}} {0} {1.5} {-1} {'name'}",
        "{os} {os.sep} {len} {Order} {Order.id} {helper}",
        "{_} {_private} {__name__}",
        "{name\n}",
        "{name",
        "name}",
        "{{{name}}} {{{{name}}}}",
        "{{name} text}",
        "{{unknown}} {{ name }}",
        "${name} $${name} `${user.name}`",
        r"\{name}",
    ],
)
def test_everything_else_between_braces_stays_as_typed(text: str) -> None:
    assert interpolate(text, NAMESPACE) == Interpolated(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{name}}", "{name}"),
        ("{{user['name']}} and {name}", "{user['name']} and Bo"),
        ("f'{{name}}'", "f'{name}'"),
        ("{{order.id}}{{n}}", "{order.id}{n}"),
    ],
)
def test_doubled_braces_send_the_single_ones(text: str, expected: str) -> None:
    assert filled(text) == expected
    if "and" not in text:
        assert interpolate(text, NAMESPACE).names_used == ()


@pytest.mark.parametrize(
    "text",
    [
        r"\frac{a}{b}",
        r"\frac{\sqrt{a}}{b}",
        r"\sqrt[n]{x}",
        r"\text{name} \textbf*{name} \begin{name} \end{name}",
        r"x^{n} x_{i} x_{i}^{n} \alpha_{i} \mathbf{x}_{i} \sum_{i}^{n} f(x)_{n} x'_{i} 2^{n}",
        "$x_{i} + {a} = {b}$",
        "$a_n\n= {n}$",
        "$$\n{a} + {b}\n$$",
        r"\( {a} \) and \[ {b} \]",
        "\\begin{align*}\n{a} &= {b} \\\\\n\\end{align*}",
        r"\begin{pmatrix} {a} & {b} \end{pmatrix}",
        r"$\{{a}\}$ $x^{{n}}$ \frac{{a}}{{b}}",
    ],
)
def test_maths_stays_as_typed_even_where_its_letters_are_variables(text: str) -> None:
    assert filled(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The budget is $500 for {x} (in US$).", "The budget is $500 for 5 (in US$)."),
        ("(US$) {x} and {n} (A$)", "(US$) 5 and 3 (A$)"),
        ("{x}$, {n}$", "5$, 3$"),
        ("{x}$/{name} or {n}$/{name}", "5$/Bo or 3$/Bo"),
        ("Is $5 for {name} or 10 US$ better?", "Is $5 for Bo or 10 US$ better?"),
        ("A costs $5, {name} costs 7$.", "A costs $5, Bo costs 7$."),
        ("Pay $500 to {name} & $20 to {text} US$", "Pay $500 to Bo & $20 to hi US$"),
        ("$500k goes to {name}, the rest of the US$ to {n}", "$500k goes to Bo, the rest of the US$ to 3"),
        ("$10k for {name} = {n} in US$", "$10k for Bo = 3 in US$"),
        ("$HOME/{name}/bin:$PATH", "$HOME/Bo/bin:$PATH"),
        ("R$ 50 for {name}, US$ 10 for {n}", "R$ 50 for Bo, US$ 10 for 3"),
        (
            "The budget is $500 for {x} (in US$), with $x_{i} = {a}$.",
            "The budget is $500 for 5 (in US$), with $x_{i} = {a}$.",
        ),
    ],
)
def test_dollar_signs_that_mean_money_are_no_maths(text: str, expected: str) -> None:
    assert filled(text) == expected


@pytest.mark.parametrize(
    "text", ["$2 = {a}$", "$3{a}$", "$sin {a} + cos {b}$", "$f({a}) = {b}$", "$|{a}| < {b}$", "$10^{a}$"]
)
def test_formulas_without_a_backslash_are_maths_still(text: str) -> None:
    assert filled(text) == text


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Summarise {city} please", ("city",)),
        ("{question}", ("question",)),
        ("Compare {first.x}, {second} and {first.x}.", ("first.x", "second")),
        ("**{city}**: '{other}'", ("city", "other")),
        ("The budget is $500 for {whom} (in US$).", ("whom",)),
        ("{helper} is a function", ("helper",)),
        ("{name} {n} {{city}} {_private}", ()),
        ("```\n{city}\n```", ()),
        ("use `{city}` here", ()),
        ("    {city}", ()),
        ('{"a": "{city}", "b": {city}}', ()),
        ('print(f"{city}")', ()),
        ('println!("{city}")', ()),
        ("import {useState} from 'react'", ()),
        ("https://x.y/{city}/z or GET /users/{city}", ()),
        ("f = lambda: {city}", ()),
        (r"$x_{j}$, \frac{q}{z}, ${city}, x^{city}", ()),
    ],
)
def test_a_lone_name_in_prose_that_is_no_variable_is_noticed(text: str, names: tuple[str, ...]) -> None:
    assert unknown_names(text, NAMESPACE) == names
    assert filled(text).count("{city}") == text.count("{city}")


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        ("Sum up {df.head()} please", ("{df.head()}",)),
        ("{df.head(3)}", ("{df.head(3)}",)),
        ("{name!r}, {name:>10} and {n:,}.", ("{name!r}", "{name:>10}", "{n:,}")),
        ("{name!r:>10} {name[0:1]} {user[name]} {df[['a']]} {n + 1} {n=} { name }",
         ("{name!r:>10}", "{name[0:1]}", "{user[name]}", "{df[['a']]}", "{n + 1}", "{n=}", "{ name }")),
        ("A coffee costs ${n}. Is ${n} much?", ("${n}",)),
        ("{name} {user['name']} {n}", ()),
        ("{nobody.head()} {nobody!r} { nobody }", ()),
        ("{n: 5} {n, 3} {n | 2}", ()),
        ("{{df.head()}} {_private!r} {len(name)}", ()),
        ("```\n{df.head()}\n```", ()),
        ("use `{df.head()}` and `${n}`", ()),
        ('print(f"{n:.2f}")', ()),
        ('{"a": {n + 1}}', ()),
        (r"$x_{n + 1}$ and ${n}$, $${n}$$, \frac{n + 1}{n}", ()),
        ("echo ${n}", ()),
        ("f = lambda: {n + 1}", ()),
    ],
)  # fmt: skip
def test_what_would_have_to_be_computed_is_noticed(text: str, noted: tuple[str, ...]) -> None:
    namespace = {**NAMESPACE, "df": [1, 2]}
    assert computed(text, namespace) == noted
    for each in noted[:5]:
        assert each in filled(text)
        assert each in note_on_unknown(text, namespace)
    assert ("as typed: " in note_on_unknown(text, namespace)) is bool(noted)


def test_the_note_on_what_is_computed_says_what_to_do() -> None:
    assert note_on_unknown("{n:.2f} of", {"n": 1}) == (
        "{n:.2f} stays as typed: nothing is computed. Assign it first: x = f'{n:.2f}'; then {x}."
    )
    both = note_on_unknown("It is ${n}, {n + 1} and {n - 1}.", {"n": 1})
    assert both.startswith("{n + 1}, {n - 1} stay as typed: nothing is computed. Assign it first: x = n + 1; then {x}.")
    assert both.endswith(" ${n} stays as typed: braces after a dollar sign are code. Write it apart: $ {n}.")
    assert note_on_unknown("It is ${n}.", NAMESPACE) == (
        "${n} stays as typed: braces after a dollar sign are code. Write it apart: $ {n}."
    )


@pytest.mark.parametrize(
    ("typed", "way"),
    [
        ("{n.groupby('a').b.sum()}", "Assign it first: x = n.groupby('a').b.sum(); then {x}."),
        ("{n!r}", "Assign it first: x = f'{n!r}'; then {x}."),
        ("{n[1:2]}", "Assign it first: x = n[1:2]; then {x}."),
        ("{ n }", "Write it without spaces: {n}."),
        ("{n.a(}", "Assign it first: x = ...; then {x}."),
        (f"{{n.a('{'long ' * 30}')}}", "Assign it first: x = ...; then {x}."),
    ],
)
def test_the_way_is_what_python_would_take(typed: str, way: str) -> None:
    assert note_on_unknown(f"What is {typed} of it?", {"n": 1}) == f"{typed} stays as typed: nothing is computed. {way}"


def test_the_way_comes_first_and_overwrites_no_variable() -> None:
    said = note_on_unknown("What of {city} is {n + 1}?", {"n": 1, "x": 2, "result": 3, "x1": 4})
    assert said == (
        "{n + 1} stays as typed: nothing is computed. Assign it first: x2 = n + 1; then {x2}. "
        "{city} isn't a variable here and stays as typed."
    )


def test_pasted_code_gets_no_note_where_its_names_are_variables() -> None:
    words = {word: 1 for code in CORPUS.values() for word in re.findall(r"\w+", code)}
    noted = {kind: computed(code, words) for kind, code in CORPUS.items()}
    assert {kind: found for kind, found in noted.items() if found} == {}


def test_pasted_code_gets_no_note() -> None:
    noted = {kind: unknown_names(code, {}) for kind, code in CORPUS.items()}
    assert {kind: names for kind, names in noted.items() if names} == {}


def test_the_note_is_one_line_and_offers_a_near_name_where_there_is_one() -> None:
    namespace = {"customers": 1, "n": 2}
    assert note_on_unknown("{n} {customers}", namespace) == ""
    assert note_on_unknown("Count {custmers} in {city}", namespace) == (
        "{custmers} isn't a variable here and stays as typed. Did you mean {customers}? "
        "{city} isn't a variable here and stays as typed."
    )
    many = note_on_unknown(" ".join(f"{{v{n}}}" for n in range(8)), namespace)
    assert many == "{v0}, {v1}, {v2}, {v3}, {v4} and 3 more aren't variables here and stay as typed."


def test_maths_ends_where_it_ends() -> None:
    assert filled(r"$x^{n}$ of {name}; \frac{a}{b} {b}; $$ {a} $$ {a}") == r"$x^{n}$ of Bo; \frac{a}{b} 2; $$ {a} $$ 1"


def test_what_is_put_in_is_not_looked_at_again() -> None:
    assert filled("{braces}{n}") == "{name} {{name}}3"


def test_names_used_are_told_once_each_in_order() -> None:
    text = "{n} {name} {n} {user['name']} {{year}} {unknown} ${a}"
    assert interpolate(text, NAMESPACE).names_used == ("n", "name", "user['name']")


CORPUS = {
    "json": '{"name": "x", "n": {"a": 1, "b": [{"i": 2}, {}]}, "empty": {}, "name2":{"k":{"x":null}}}',
    "json lines": '{"a":1}\n{"b":{"text":"{"}}\n[{"x":[]},{"k":"}"}]',
    "python": 'd = {"name": n, **user}\ns = {a, b}\nf"{name!r} {n:>{ a }} {x=}"\n{k: v for k, v in d.items()}\n{*a}',
    "rust": 'fn main() { let x = Point { x: 1, y }; println!("{:?} {0} {n:>5} {name:?}", x); match n { _ => {} } }',
    "go": 'func f() { m := map[string]int{"a": 1}; t := []T{{a: 1}, {b: 2}} }\n{{ .name }} {{.user.name}} {{end}}',
    "jinja": "{% for i in user %}{{ name }}{{ user.name | upper }}{# n #}{% endfor %} {{- name -}}",
    "css": "a{color:red} .name { width: 3px } @media print{b{x:1}} :root { --n: {}; }",
    "javascript": "f = ({ name }) => ({ ...user, a: 1 }); `${name} ${user.name}`; if (a) { b }; x = {a: {b}}",
    "shell": 'echo "${name}" ${n:-3} ${user[0]} {a,b} {1..3} $(( x )); f() { echo; }',
    "latex": r"\frac{a}{b} \sum_{i}^{n} \text{name} \begin{tabular}{ll} \alpha_{i} \sqrt[n]{x} \cite{name}",
    "mustache": "{{{name}}} {{#user}} {{/user}} {{> name}} {{& name}}",
    "c": "int main(void) { int a[] = {1, 2}; struct s x = {.a = 1}; for (;;) {} return 0; }",
    "regex": r"a{2} b{2,} c{,3} \d{4} [{}] \{name\} ^\w{1,3}$",
    "format": "{} {0} {:>3} {0.name} {!r} %(name)s %s {name:{n:d}}",
    "handlebars": "{{#if name }}x{{else}}y{{/if}} {{~name~}}",
    "graphql": "query { user(id: 1) { name, n } } fragment x on y { a }",
}


@pytest.mark.parametrize("kind", CORPUS)
def test_pasted_code_stays_as_typed_where_it_holds_no_bare_variable(kind: str) -> None:
    code = CORPUS[kind]
    assert interpolate(code, {}).text == code
    if kind == "javascript":
        code = code.replace("{b}", "{ b }")  # the one place that is a plain {variable}
    assert filled(code) == code


def test_mixtures_of_pasted_code_keep_all_but_their_variables() -> None:
    random.seed(20240)
    samples = [*CORPUS.values()]
    for _ in range(300):
        pieces = []
        for _ in range(random.randint(1, 6)):
            sample = random.choice(samples).replace("{b}", "{ b }")
            pieces.append(random.choice(sample.splitlines()))
        marked = "\n\n<{name}>\n\n".join(pieces)
        assert filled(marked) == "\n\n<Bo>\n\n".join(pieces)


def test_any_text_at_all_is_taken_and_kept_but_for_its_variables() -> None:
    random.seed(7)
    alphabet = [
        "{",
        "}",
        "{{",
        "}}",
        "$",
        "\\",
        "_",
        "^",
        "[",
        "]",
        "'",
        '"',
        ".",
        " ",
        "\n",
        "name",
        "n",
        "0",
        "é",
        "frac",
    ]
    for _ in range(20_000):
        text = "".join(random.choices(alphabet, k=random.randint(0, 12)))
        assert interpolate(text, {}).text == text
        done = interpolate(text, {"zz": 1})
        assert done == Interpolated(text)
        plain = interpolate(text, {"name": "name", "n": "n"}) if not re.search(r"[.\[]", text) else done
        # Replacing a name by itself may only take braces away.
        letters = str.maketrans("", "", "{}")
        assert plain.text.translate(letters) == text.translate(letters)


def test_a_wrapped_word_is_replaced_whatever_harmless_text_surrounds_it() -> None:
    random.seed(11)
    harmless = string.ascii_letters + string.digits + " .,;:!?()<>=+*/@#%&|~`\"'\n"
    for _ in range(2_000):
        before, after = ("".join(random.choices(harmless, k=random.randint(0, 10))) for _ in range(2))
        assert filled(f"{before}{{name}}{after}") == f"{before}Bo{after}"


@pytest.mark.heavy
@pytest.mark.once
@pytest.mark.parametrize(
    "text",
    [
        "{" * 200_000,
        "}" * 200_000,
        "{a[" * 60_000,
        "{a['" * 50_000,
        "{a.a" * 50_000,
        "$ " * 100_000 + "{a}",
        "$a" * 100_000 + "{a}",
        "\\[" * 20_000 + "{a}",
        "\\begin{math}" * 3_000 + "{a}",
        "\\frac" + "{a}" * 60_000,
        "}" * 1_000 + "{a}" * 20_000,
    ],
    ids=lambda text: text[:8],
)
@pytest.mark.timeout(120)  # each is a second at most; a search that grows with the square takes minutes
def test_hostile_prompts_take_no_time_that_grows_with_their_square(text: str) -> None:
    assert interpolate(text, {"a": ""}).text is not None
    assert note_on_unknown(text, {"a": "", "x": 1}) is not None


# --- reading values ------------------------------------------------------------------------------------------


def test_attributes_of_common_values_are_read() -> None:
    import numpy as np
    import pandas as pd

    frame = pd.DataFrame({"price": [1.5, 2.5], "count": [1, 2]})
    point = collections.namedtuple("point", "x y")(1, 2)  # noqa: PYI024 - the untyped form is what people have
    more = {
        "df": frame,
        "arr": np.zeros((2, 3)),
        "path": pathlib.PurePosixPath("/home/me/data.csv"),
        "day": dt.date(2024, 5, 6),
        "point": point,
        "space": types.SimpleNamespace(x=1),
        "slot": Slotted(),
        "colour": Colour.RED,
        "z": 3 + 4j,
    }
    for text, expected in (
        ("{df.shape} {df.shape[0]}", "[2, 2] 2"),
        ("{arr.shape} {arr.dtype} {arr.ndim}", "[2, 3] float64 2"),
        ("{path.name} {path.suffix} {path.parent.name}", "data.csv .csv me"),
        ("{day.year}", "2024"),
        ("{point.x}{point[1]}", "12"),
        ("{space.x}", "1"),
        ("{slot.x}", "5"),
        ("{colour.value} {colour.name}", "red RED"),
        ("{z.real}", "3.0"),
        ("{trap.plain}, {trap.mine}", "class attribute, instance attribute"),
        ("{df['price'][1]} {df.price[0]}", "2.5 1.5"),
    ):
        assert filled(text, **more) == expected
    assert "price" in filled("{df.columns}", **more)
    assert "| 2.5 |" in filled("{df.price}", **more)
    assert "| 1 | 2 |" in filled("{df['count']}", **more)


@pytest.mark.parametrize(
    ("text", "message", "step"),
    [
        ("{order.ids}", "Order has no 'ids'", "it has id, items"),
        ("{user['nam']}", "no 'nam'", "there are name"),
        ("{user.name}", "is a key", "{user['name']}"),
        ("{user['tags'][5]}", "no 5", "2 items, 0 to 1"),
        ("{user['tags']['x']}", "no 'x'", "2 items"),
        ("{empty[0]}", "no 0", "empty"),
        ("{n[0]}", "indexing a int", "attribute"),
        ("{text.length}", "str has no 'length'", "{{text.length}}"),
        ("{text.upper}", "is a method", "result = text.upper()"),
        ("{order.__class__}", "private name", "variable"),
        ("{order._x}", "private name", "variable"),
        ("{name.__class__.__mro__}", "private name", "variable"),
        ("{trap.computed}", "no code is run", "result = trap.computed"),
        ("{trap.cached}", "no code is run", "result = trap.cached"),
        ("{trap.method}", "is a method", "result"),
        ("{trap.static}", "is a method", "result"),
        ("{trap.of}", "is a method", "result"),
        ("{trap[0]}", "may run code", "result = trap[0]"),
        ("{trap.nothing}", "no 'nothing'", "mine"),
        ("{slot.empty}", "can't be read", "check"),
        ("{own.x}", "no code is run", "result = own.x"),
        ("{holder.module}", "nothing is called", "variable"),
        ("{df['pricee']}", "no 'pricee'", "price"),
        ("{df.pricee}", "no 'pricee'", "price"),
        ("{df[0]}", "no 0", "price"),
        ("{series[9]}", "no 9", "2 items"),
        ("{default['x']}", "no 'x'", "none"),
    ],
)
def test_an_expression_that_leads_nowhere_is_an_error_with_what_is_there(text: str, message: str, step: str) -> None:
    import pandas as pd

    frame = pd.DataFrame({"price": [1, 2]})
    default: Any = collections.defaultdict(list)
    own = type("Own", (), {"x": Descriptor()})()
    more = {
        "slot": Slotted(),
        "own": own,
        "holder": types.SimpleNamespace(module=math),
        "df": frame,
        "series": frame["price"],
        "default": default,
    }
    with pytest.raises(AttachmentError) as refused:
        filled(text, **more)
    assert message in refused.value.message
    assert step in refused.value.next_step
    assert text in refused.value.message
    assert default == {}


def test_a_key_is_refused_in_every_form() -> None:
    key = Secret("sk-123456", host="api.example")
    for text in ("{key}", "{key.host}", "{key._value}", "{holder['deep'][0]}", "{holder}", "{space.key}"):
        with pytest.raises(SecretInPromptError) as refused:
            filled(text, key=key, holder={"deep": [key]}, space=types.SimpleNamespace(key=key))
        assert "sk-123456" not in str(refused.value)


def test_ipython_s_own_names_are_not_variables() -> None:
    from IPython.core.autocall import ZMQExitAutocall

    assert filled("{exit} {quit}", exit=ZMQExitAutocall(), quit=ZMQExitAutocall()) == "{exit} {quit}"
    assert filled("{Out[3]}", Out={3: "shown"}) == "shown"


def test_figures_and_images_become_images_beside_the_text() -> None:
    import PIL.Image
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([1, 2])
    ready = Image("data:image/png;base64,", "image/png", 0, "ready")
    done = interpolate(
        "Compare {fig} with {photo}, {fig} and {pack['x']}; {photo.size}",
        {"fig": figure, "photo": PIL.Image.new("RGB", (2, 3)), "pack": {"x": ready}},
    )
    assert done.text == "Compare [image 1: fig] with [image 2: photo], [image 1: fig] and [image 3: pack['x']]; [2, 3]"
    assert [image.label for image in done.images] == ["figure", "image", "ready"]
    assert done.images[2] is ready


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("sum up {sale}", (("sale", "sales"),)),
        ("{slaes} and {slaes}", (("slaes", "sales"),)),
        ("{sales}", ()),
        ("{region}", ()),
        ("{{sale}}", ()),
        (r"$\frac{sale}{n}$ and \text{sale}", ()),
        ("${sale}", ()),
        ('{"sale": 1}', ()),
        ("{_frame}", ()),
        ("{sa}", ()),
    ],
)
def test_a_name_that_is_nearly_a_variable_is_noticed(prompt: str, found: tuple[tuple[str, str], ...]) -> None:
    namespace = {"sales": [1, 2], "_sales": 3, "sale_of": len, "n": 1}
    assert near_misses(prompt, namespace) == found


def test_braces_and_code_in_turn_cost_linear_work() -> None:
    text = "{x } `a` {zz} `a`; " * 20_000
    assert computed("One {x } and {zz}.\n" + text, {"x": 1}) == ("{x }",)
    assert unknown_names("One {x } and {zz}.\n" + text, {"x": 1}) == ()
    assert unknown_names("One {zz}.\n" + text, {"x": 1}) == ("zz",)
