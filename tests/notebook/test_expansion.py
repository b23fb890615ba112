"""What braces and dollar signs in a field become."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcnb.errors import NotConnectedError, UsageError
from tcnb.notebook import messages
from tcnb.notebook.magics.expansion import expand, expand_text

NAMES: dict[str, Any] = {
    "n": 42,
    "pi": 3.14159,
    "name": "Alice",
    "d": {"a": 1, "b c": [10, 20]},
    "day": datetime.date(2026, 3, 9),
    "width": 8,
    "blob": b"\x00\x01",
    "имя": "Боб",
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("n is {n}", "n is 42"),
        ("{n + 1}", "43"),
        ("{pi:.2f}", "3.14"),
        ("{pi:>{width}.2f}|", "    3.14|"),
        ("{name!r} {name!s:>6} {name!a}", "'Alice'  Alice 'Alice'"),
        ("{d['b c'][1]}", "20"),
        ('{d["a"]}', "1"),
        ("{ {1: 'x'}[1] } y", "x y"),
        ("{'}' + name}", "}Alice"),
        ("{name if n != 42 else 'no'}", "no"),
        ("{day:%d %B %Y}", "09 March 2026"),
        ("{n=}", "n=42"),
        ("{n = }", "n = 42"),
        ("{n == 42}", "True"),
        ("{sum(x for x in d['b c'])}", "30"),
        ("{(lambda x: x + 1)(n)}", "43"),
        ("{'''a'b'''}", "a'b"),
        ("{имя}!", "Боб!"),
        ("{{n}}", "{n}"),
        ("{{{n}}}", "{42}"),
        ("a } b", "a } b"),
        ("$name!", "Alice!"),
        ("${n}", "$42"),
        ("$имя", "Боб"),
        ("$5 and US$ and $", "$5 and US$ and $"),
        ("$$name", "$name"),
        ("$$$name", "$Alice"),
        ("$_ $__", "$_ $__"),
        ("$n{n}$n", "424242"),
        (r"\{n}", r"\42"),
    ],
)
def test_text(template: str, text: str) -> None:
    """Expressions and names become text as in an f-string; doubled signs stand for themselves."""
    assert expand_text(template, NAMES) == text


@pytest.mark.parametrize("template", ["{blob}", "$blob", "{ blob }"])
def test_single_expansion_gives_the_object(template: str) -> None:
    """A field that is one expansion is the value itself."""
    assert expand(template, NAMES) is NAMES["blob"]


MISSING = {
    "none": None,
    "nan": float("nan"),
    "small": np.float32("nan"),
    "na": pd.NA,
    "nat": pd.NaT,
    "never": np.datetime64("NaT"),
    "exact": decimal.Decimal("NaN"),
}


@pytest.mark.parametrize("name", MISSING)
@pytest.mark.parametrize("form", ["{%s}", "$%s", " {%s}\n", "{%s} {%s}"])
def test_field_of_missing_values_alone_is_refused(name: str, form: str) -> None:
    """What would become the word "nan" or "None" and nothing else is refused by its expression."""
    template = form.replace("%s", name)
    with pytest.raises(UsageError, match=rf"{name}\}}? is .*nothing to put here\. .*write {{{name}!s}}"):
        expand(template, MISSING)


@pytest.mark.parametrize("name", MISSING)
def test_missing_value_beside_a_text_is_its_word(name: str) -> None:
    """In a text a missing value is written as Python writes it, and alone where a conversion says that it is meant."""
    assert expand(f"got {{{name}}}", MISSING) == f"got {MISSING[name]}"
    assert expand(f"{{{name}!s}}", MISSING) == str(MISSING[name])


@pytest.mark.parametrize("value", [0, "", False, [], np.array([np.nan]), pd.Series([None]), pd.DataFrame()])
def test_empty_is_not_missing(value: Any) -> None:
    """Zero, nothing at all, and containers are values like any other."""
    assert expand("{value}", {"value": value}) is value


@pytest.mark.parametrize("template", ["{blob} ", "{blob!s}", "{n:d}"])
def test_anything_more_gives_text(template: str) -> None:
    """With text around it, a conversion or a format, a field is text."""
    assert isinstance(expand(template, NAMES), str)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{missing}", "{missing} failed: NameError: name 'missing' is not defined"),
        ("{1/0} x", "{1/0} failed: ZeroDivisionError: division by zero"),
        ("{d['z']}", "{d['z']} failed: KeyError: 'z'"),
        ("{n:%Q}", "{n:%Q} failed: ValueError"),
        ("{n +}", "{n +} is not a Python expression"),
        ("{}", "there is no expression in {}"),
        ("{  }", "there is no expression in {}"),
        ("open {n", "never closed"),
        ("{n!z}", "the conversions are !r, !s and !a"),
        (
            "$missing",
            "there is no variable 'missing' for $missing. For a dollar sign as it stands, double it: $$missing",
        ),
    ],
)
def test_failure_names_the_expression(template: str, said: str) -> None:
    """What fails is an error in one line that names the expression and the reason."""
    with pytest.raises(UsageError) as caught:
        expand(template, NAMES)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("template", ['{"a": 1}', '{"a": {"b": [1, 2]}}', "{'a':1}", '{ "a" : 1, "b": 2}', "{1: 2}"])
def test_json_is_recognised(template: str) -> None:
    """JSON on a line is not mangled but refused, with two ways out."""
    with pytest.raises(UsageError, match=r"looks like JSON.*double them.*%%tc_send"):
        expand_text(template, NAMES)


def test_hint_of_the_place() -> None:
    """An error gives the advice of the place in which the expression stands."""
    with pytest.raises(UsageError, match="leave out -f"):
        expand("{nope}", NAMES, hint=messages.BRACES_IN_A_BODY)


def test_builtins_only_in_braces() -> None:
    """Braces see Python's own functions, a dollar sign only variables."""
    assert expand("{len(name)} x", NAMES) == "5 x"
    with pytest.raises(UsageError, match="no variable 'len'"):
        expand("$len", NAMES)


def test_errors_of_tcnb_pass() -> None:
    """An error that already says what to do is not wrapped."""

    def fail() -> None:
        raise NotConnectedError("run %tc_connect first")

    with pytest.raises(NotConnectedError):
        expand("{fail()}", {"fail": fail})


def test_interrupt_passes() -> None:
    """The interrupt button is not an error of the expression."""

    def fail() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        expand("{fail()}", {"fail": fail})


@given(st.text())
def test_doubling_makes_any_text_literal(text: str) -> None:
    """With braces and dollar signs doubled every text stays what it is."""
    doubled = text.replace("{", "{{").replace("}", "}}").replace("$", "$$")
    assert expand_text(doubled, NAMES) == text


@given(st.text(alphabet="{}$!:='\"()[]n \\#"))
def test_expanding_never_breaks(template: str) -> None:
    """Whatever stands in a field, it is expanded or refused with an error of tcnb."""
    try:
        expand_text(template, NAMES)
    except UsageError as error:
        assert "\n" not in str(error)
