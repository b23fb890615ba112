"""What can be asked of a figure, and that whatever people call themselves stands in it as it is."""

from __future__ import annotations

import io
import re

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from tcnb import analysis
from tcnb.analysis.accessor import register
from tcnb.analysis.plots.drawing import MOST
from tcnb.analysis.plots.language import COUNTED, PHRASES, Language
from tcnb.errors import UsageError
from tests.analysis.frames import event, frame, generated, said

register()

DAY = 24 * 60
HOSTILE = (
    *(r"$\frac$", "Cash $ and $ cash", "_x^", "100% {sure}", "line\nbreak\x00\x1b[31m", "נועה כהן", "W" * 300),
    *("Борис 👩‍💻 Ёж", r"\$5 $", "<b>&amp;"),
)
TITLES = ("Budget $2$ and $3_x$", r"_hidden $\alpha$", "Plan %d")


def hostile() -> pd.DataFrame:
    """Return a record in which everything that people choose is as hostile as can be."""
    rows = []
    for number in range(60):
        who, place = number % len(HOSTILE), number % len(TITLES)
        about = {"chat_id": f"g{place}", "chat": TITLES[place], "author": HOSTILE[who]}
        file = {"file_id": "f", "file_size": 9, "mime_type": "a/$b$ $c_d$"} if number % 5 == 0 else {}
        text = rf"from $5 to $6_x? https://a$b$c$.example/x 👍 @p{(number + 3) % 9} \frac" if number % 7 else "$ok$ $?$"
        reply = {"reply_to": f"m{number - 2}"} if number % 2 and number > 2 else {}
        rows.append(said(f"p{who}", number * 7, text, **about, **file, **reply))
    for number in range(6):
        about = {"chat_id": f"g{number % 3}", "chat": TITLES[number % 3]}
        rows.append(event("added_chat_participant", DAY * (1 + number), user_id=f"q{number}@s", **about))
    return frame(*rows)


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    return generated(200)


OPTIONS = {"activity": {"by": "author"}, "words": {"stop": False}}


def texts_of(figure: Figure) -> list[Text]:
    """Return all texts of a figure after it was drawn."""
    figure.savefig(io.BytesIO(), format="png")
    return figure.findobj(Text)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("own", [True, False], ids=["figure of its own", "axes of mine"])
@pytest.mark.parametrize("name", analysis.__all__)
def test_no_text_is_a_formula(name, own):
    """No text of any figure, drawn into axes of somebody's own too, is read as mathematics."""
    options = {"title": r"$\frac$ of $5", "subtitle": "_x^ $y$ $z"}
    if own:
        figure = getattr(analysis, name)(hostile(), plot=True, **options, **OPTIONS.get(name, {}))
    elif name in ("membership", "response_times"):
        return
    else:
        figure, ax = plt.subplots()
        ax.set_title("$there$ before", loc="left")
        getattr(analysis, name)(hostile(), plot=True, ax=ax, **options, **OPTIONS.get(name, {}))
        plt.close(figure)
    texts = texts_of(figure)
    # In somebody's own figure, matplotlib makes the labels of numbers as it likes.
    written = [text for text in texts if text.get_text() and (own or "$" in text.get_text())]
    assert written
    assert not [text.get_text() for text in written if text.get_parse_math()]
    shown = [text.get_text() for text in texts]
    assert r"$\frac$ of $5" in shown
    assert "_x^ $y$ $z" in shown
    assert not [text for text in shown if re.search(r"[\x00-\x09\x0b-\x1f]|mathdefault", text)]
    assert max(len(text) for text in shown) < 150


def test_names_stand_as_they_are():
    """Names with dollar signs, underscores and per cent signs are drawn whole, also in legends."""
    figure = analysis.talkers(hostile(), plot=True)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert {r"$\frac$", "Cash $ and $ cash", "_x^", "100% {sure}", "נועה כהן", r"\$5 $", "<b>&amp;"} <= set(labels)
    legend = analysis.activity(hostile(), by="chat", plot=True).axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == list(TITLES)


def test_formulas_stay_plain_under_a_style_that_wants_them(events):
    """Settings that turn texts into formulas or give them to TeX change no figure."""
    with plt.rc_context({"text.usetex": True, "axes.formatter.use_mathtext": True}):
        assert analysis.talkers(hostile(), plot=True)._repr_png_().startswith(b"\x89PNG")


def test_labels_of_ticks_that_are_made_late_are_plain():
    """Ticks that matplotlib makes outside of the drawing are as plain as those made in it."""
    figure = analysis.talkers(hostile(), plot=True)
    figure.axes[0].set_xticks([0, 1, 2], ["$a$", "$b_x$", r"$\frac$"])
    assert not [text for text in texts_of(figure) if text.get_text().startswith("$") and text.get_parse_math()]


# ── options ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", analysis.__all__)
def test_options_of_a_figure(name, events):
    """Each figure takes a title, a line below it, a size, a theme and a language, on both ways to it."""
    options = {"title": "Mine", "subtitle": "below", "figsize": (5, 3), "theme": "dark", "lang": "ru"}
    for figure in (
        getattr(analysis, name)(events).plot(**options),
        getattr(analysis, name)(events, plot=True, **options),
    ):
        assert [text.get_text() for text in figure.texts[:2]] == ["Mine", "below"]
        assert figure.get_size_inches().tolist() == [5, 3]
        assert figure.theme.name == "dark"


def test_title_can_be_left_out(events):
    """An empty text leaves title and line out; None is as if it was not said."""
    assert not events.tc.talkers().plot(title="", subtitle="").texts
    assert events.tc.talkers().plot(title=None).texts[0].get_text() == "Who writes most"


def test_endless_title_ends_in_the_figure(events):
    """A title that is too long for its figure is cut off."""
    figure = events.tc.talkers().plot(title="wide " * 60, figsize=(4, 3))
    title = figure.texts[0]
    assert title.get_text().endswith("…")
    assert title.get_window_extent().x1 <= figure.bbox.x1


def test_axes_of_a_figure_of_ones_own(events):
    """A figure is drawn into axes that are given, beside others, and these axes come back."""
    figure, (left, right) = plt.subplots(1, 2)
    right.plot([1, 2], [3, 4])
    assert events.tc.talkers().plot(ax=left, title="Mine") is left
    assert len(left.patches) == 12
    assert (left.get_title(loc="left"), right.get_title()) == ("Mine", "")
    assert analysis.heatmap(events, plot=True, ax=right).figure is figure
    plt.close(figure)


def test_axes_have_the_theme_of_their_figure(events):
    """On dark axes the colours are those of the dark theme, and a theme that is asked for gives them its ground."""
    for ground, asked, expected in (
        ("black", "auto", "#eef2f6"),
        ("white", "auto", "#1c2430"),
        ("white", "dark", "#eef2f6"),
    ):
        figure, ax = plt.subplots(facecolor=ground)
        ax.set_facecolor("none")
        events.tc.talkers().plot(ax=ax, theme=asked)
        assert ax.get_yticklabels()[0].get_color() == expected
        plt.close(figure)


@pytest.mark.parametrize("name", sorted(MOST))
def test_top(name, events):
    """`top` says how many are shown."""
    options = {"by": "author"} if name == "activity" else {}
    axes = getattr(analysis, name)(events, **options).plot(top=2).axes
    shown = {
        "activity": lambda: axes[0].get_legend().get_texts(),
        "membership": lambda: axes[0].get_legend().get_texts(),
        "response_times": lambda: axes[1].get_yticklabels(),
        "graph": lambda: [text for text in axes[0].texts if text.get_text()],
    }.get(name, lambda: axes[0].get_yticklabels())
    assert len(shown()) == min(2, len(getattr(analysis, name)(events, **options)))


def test_pandas_draws_with_kind_x_and_y(events):
    """With kind, x or y a plot is that of pandas, with what pandas knows besides."""
    drawn = events.tc.talkers().plot(x="author", y="messages", kind="bar", color="red", figsize=(3, 3))
    assert drawn.get_legend() is not None
    plt.close(drawn.figure)


WRONG = {
    "figsiz": (lambda e: e.tc.talkers().plot(figsiz=(1, 2)), "no option 'figsiz'. Did you mean figsize"),
    "colour": (lambda e: e.tc.talkers().plot(color="red"), "no option 'color': there are title, subtitle, figsize"),
    "of an analysis": (lambda e: e.tc.heatmap(tzz="UTC"), "no option 'tzz'. Did you mean tz"),
    "beside plot=True": (lambda e: e.tc.heatmap(plot=True, titel="x"), "no option 'titel'. Did you mean title"),
    "without plot": (lambda e: e.tc.heatmap(title="x"), "title is for the figure: add plot=True"),
    "title": (lambda e: e.tc.talkers().plot(title=5), "title is a text, not 5"),
    "figsize": (lambda e: e.tc.talkers().plot(figsize=5), r"figsize is width and height in inches.*, not 5"),
    "no size": (lambda e: e.tc.talkers().plot(figsize=(0, 4)), r"not \(0, 4\)"),
    "endless": (lambda e: e.tc.talkers().plot(figsize=(9, float("inf"))), "not"),
    "three sizes": (lambda e: e.tc.talkers().plot(figsize=(1, 2, 3)), r"not \(1, 2, 3\)"),
    "ax": (lambda e: e.tc.talkers().plot(ax="left"), "ax is one pair of axes.*not 'left'"),
    "several axes": (
        lambda e: e.tc.membership().plot(ax=Figure().add_subplot()),
        "membership consists of several axes",
    ),
    "times": (
        lambda e: e.tc.response_times(plot=True, ax=Figure().add_subplot()),
        "response_times consists of several",
    ),
    "round": (lambda e: e.tc.talkers().plot(ax=Figure().add_subplot(polar=True)), "ax is one pair of axes"),
    "ax and figsize": (lambda e: e.tc.talkers().plot(ax=Figure().add_subplot(), figsize=(3, 3)), "has one already"),
    "top of all": (lambda e: e.tc.heatmap().plot(top=3), "heatmap shows everything and has no top"),
    "top": (lambda e: e.tc.talkers().plot(top=0), "top is how many are shown, 1 or more, not 0"),
    "too many": (lambda e: e.tc.talkers().plot(top=1000), "has room for 100: top cannot be 1000"),
    "no groups": (lambda e: e.tc.activity().plot(top=3), "only by='chat' or by='author'"),
    "lang": (lambda e: e.tc.talkers().plot(lang="de"), "lang is 'en' or 'ru', not 'de'"),
    "theme": (lambda e: e.tc.talkers().plot(theme="pink"), "'light', 'dark' or 'auto', not 'pink'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_options_are_one_line(name, events):
    """What a figure cannot be is said in one line, before anything is computed."""
    call, message = WRONG[name]
    with pytest.raises(UsageError, match=message) as caught:
        call(events)
    assert "\n" not in str(caught.value)


# ── languages ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", analysis.__all__)
def test_russian_figures_have_no_english_words(name, events):
    """With `lang="ru"` all words of a figure are Russian: what is left in Latin letters is data."""
    said_there = {*map(str, events["text"].dropna()), "UTC", "Person", "Chat", "new", "image", "png", "Example", "com"}
    data = {word for text in said_there for word in re.findall(r"[A-Za-z]+", text)} | {"example"}
    for source in (events, frame()):
        figure = getattr(analysis, name)(source, plot=True, lang="ru")
        if name == "emoji":  # their names are those of Unicode
            shown = [text.get_text() for text in figure.texts]
        else:
            shown = [text.get_text() for text in texts_of(figure)]
        # What is cut off ends in the middle of a word.
        words = {word for text in shown for word in re.findall(r"[A-Za-z]+", text)}
        assert not [word for word in words if not any(known.startswith(word) for known in data)]


def test_every_phrase_is_in_both_languages():
    """Each phrase has the same values in both languages, and none is the same text unless it has no word."""
    for key, (english, russian) in PHRASES.items():
        assert set(re.findall(r"{(\w+)}", english)) - {"period"} == set(re.findall(r"{(\w+)}", russian)) - {"period"}, (
            key
        )
        words = re.sub(r"{\w+}", "", english)
        assert english != russian or not re.search(r"\w", words), key


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "авторов"), (1, "автор"), (2, "автора"), (5, "авторов"), (11, "авторов"), (12, "авторов"), (21, "автор")],
)
def test_russian_plurals(count, words):
    """Numbers have the form of the noun that Russian wants."""
    assert Language("ru").amount(count, "author") == f"{count} {words}"
    assert len({*COUNTED["author"][1]}) == 3


def test_numbers_of_a_language():
    """Lengths, sizes and dates are written as in the language."""
    english, russian = Language("en"), Language("ru")
    assert (english.span(5400), russian.span(5400)) == ("1.5 h", "1,5 ч")
    assert (english.size(2_400_000), russian.size(2_400_000)) == ("2.4 MB", "2,4 МБ")
    assert (english.date(pd.Timestamp("2026-05-03"), "%d %b"), russian.date(pd.Timestamp("2026-05-03"), "%d %b")) == (
        *("03 May", "03 май"),
    )


# ── incomplete periods ──────────────────────────────────────────────────────────────────────────────────────────────


def test_incomplete_periods_are_hatched():
    """The bars of the first and the last day, which are not known whole, are hatched, and the note says so."""
    figure = frame(said("a", 0), said("a", DAY), said("a", 2 * DAY)).tc.activity(plot=True)
    assert sorted(bar.get_hatch() or "" for bar in figure.axes[0].patches) == ["", "////", "////"]
    assert figure.texts[1].get_text().endswith("hatched: incomplete")


def test_incomplete_ends_of_lines_are_dotted():
    """A line leads to an incomplete period in dots."""
    figure = frame(said("a", 0), said("a", DAY), said("a", 2 * DAY), said("a", 3 * DAY)).tc.activity(
        by="chat", plot=True
    )
    whole, certain = figure.axes[0].lines
    assert (whole.get_linestyle(), len(whole.get_xdata())) == (":", 4)
    assert (certain.get_linestyle(), len(certain.get_xdata())) == ("-", 2)
    assert figure.texts[1].get_text().endswith("dotted: incomplete")


def test_incomplete_ends_of_an_area_are_lighter():
    """Where periods are many, the incomplete ones have a dotted edge."""
    figure = frame(*(said("a", day * DAY) for day in range(90))).tc.activity(plot=True)
    assert [line.get_linestyle() for line in figure.axes[0].lines] == [":", "-", ":"]
    assert figure.texts[1].get_text().endswith("dotted: incomplete")
