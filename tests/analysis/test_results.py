"""What the analyses return and how they are reached: types, the accessor, figures, and the errors of wrong calls."""

from __future__ import annotations

import io
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import narwhals as nw
import pandas as pd
import pytest

from tcnb import analysis
from tcnb.analysis import schema
from tcnb.analysis.accessor import Analyses, register
from tcnb.errors import UsageError
from tcnb.types.images import figure_of, figure_png
from tests.analysis.frames import as_messages, at, event, frame, generated, moved, said

PNG = b"\x89PNG"


@pytest.fixture(autouse=True)
def _registered():
    """The accessor is there."""
    register()


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    """Some hundred messages."""
    return generated(200)


EMPTY = frame()
ONE = frame(said("a", 0, "Hello"))
UNSAID = frame(said(None, None, None, received=None, message_id=None, chat_id=None, chat=None))


@pytest.mark.parametrize("name", analysis.__all__)
@pytest.mark.parametrize(
    "events_of", [generated(200), EMPTY, ONE, UNSAID], ids=["many", "empty", "one", "nothing known"]
)
def test_columns_are_fixed(name, events_of):
    """The columns and their types are those of the table, however little there is."""
    result = getattr(analysis, name)(events_of)
    assert [(column, str(dtype)) for column, dtype in result.dtypes.items()] == [
        (column.name, column.kind.value) for column in schema.RESULTS[name]
    ]
    assert isinstance(result.index, pd.RangeIndex)


@pytest.mark.parametrize("name", analysis.__all__)
def test_every_analysis_has_a_docstring_and_a_table(name):
    """The docstring names the columns that the table has."""
    documented = getattr(analysis, name).__doc__
    for column in schema.RESULTS[name]:
        assert column.name in documented, column.name


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", analysis.__all__)
def test_every_analysis_draws_itself(name, events):
    """Both ways to a figure work, in both themes, also without and with one message, and nothing is warned of."""
    result = getattr(events.tc, name)()
    for theme, ground in (("light", (1, 1, 1)), ("dark", (20 / 255, 24 / 255, 31 / 255))):
        drawn = result.plot(theme=theme)
        assert figure_of(drawn) is drawn
        assert drawn.get_facecolor()[:3] == pytest.approx(ground)
    assert drawn._repr_png_().startswith(PNG)
    for little in (EMPTY, ONE):
        assert getattr(little.tc, name)(plot=True)._repr_png_().startswith(PNG)


def test_activity_by_chat_draws_lines(events):
    """With groups, the activity is drawn as lines."""
    assert figure_png(events.tc.activity("h", by="chat").plot()).startswith(PNG)


def test_line_falls_to_zero_where_nobody_wrote():
    """Between two days with messages the line of a chat lies on the ground; hours that a clock shows twice are two."""
    figure = analysis.activity(frame(said("a", 0), said("a", 4 * 1440)), by="chat", plot=True)
    assert figure.axes[0].lines[0].get_ydata().tolist() == [1, 0, 0, 0, 1]
    night = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    twice = frame(said("a", night), said("a", night + timedelta(hours=1)))
    figure = analysis.activity(twice, "h", by="chat", tz="Europe/Berlin", plot=True)
    assert figure.axes[0].lines[0].get_ydata().tolist() == [1, 1]


@pytest.mark.parametrize("freq", ["15min", "6h", "D", "W", "M", "Q", "Y"])
def test_lines_have_a_point_a_period(freq):
    """The periods between are those of the result without groups."""
    events = frame(said("a", 0), said("a", 800 * 1440))
    lines = analysis.activity(events, freq, by="chat", plot=True).axes[0].lines
    assert lines[0].get_ydata().tolist() == analysis.activity(events, freq)["messages"].tolist()


def test_lines_that_are_left_out_are_told_of():
    """Of more groups than can be told apart the largest are drawn, and the figure says so."""
    events = frame(*(said("a", place, chat_id=f"g{place}") for place in range(7)))
    assert below(analysis.activity(events, by="chat", plot=True))[0].endswith("UTC; the largest 6 of 7")
    assert below(analysis.activity(events[:6], by="chat", plot=True))[0].endswith("UTC")


def test_longest_response_time_is_inside_the_figure():
    """The longest bar and the last person's point have room beside them; what took less than a second is told so."""
    figure = analysis.response_times(frame(said("a", 0), said("b", 10)), plot=True)
    assert figure.axes[1].get_xlim()[1] > 600 * 1.1
    assert figure.axes[1].get_xticklabels()[0].get_text() == "≤ 1 s"


def below(figure) -> list[str]:
    """Return what is written below the axis of a figure, after its note without how it marks incomplete periods."""
    note, mark = figure.texts[1].get_text().rsplit("; ", 1)
    assert mark in ("hatched: incomplete", "dotted: incomplete")
    return [note, *(label.get_text() for label in figure.axes[-1].get_xticklabels())]


@pytest.mark.parametrize(
    ("freq", "written"),
    [
        ("h", ["messages per hour, 02 Mar 2026, Asia/Tokyo", "02 Mar\n18:00"]),
        ("D", ["messages per day, 02 Mar 2026, Asia/Tokyo", "02 Mar"]),
        ("W", ["messages per week, 02 Mar 2026, Asia/Tokyo", "02 Mar"]),
        ("M", ["messages per month, Mar 2026, Asia/Tokyo", "Mar 2026"]),
        ("Y", ["messages per year, 2026, Asia/Tokyo", "2026"]),
    ],
)
def test_single_period_is_named_and_is_no_wall(freq, written):
    """Below a single bar is what it stands for, of the zone's calendar, and there is room beside it."""
    figure = analysis.activity(ONE, freq, tz="Asia/Tokyo", plot=True)
    assert below(figure) == written
    bar = figure.axes[0].patches[0]
    left, right = figure.axes[0].get_xlim()
    assert bar.get_width() < (right - left) / 3


def test_days_of_a_figure_are_those_of_the_zone():
    """Each bar has its day below its middle, and the note says the years."""
    events = frame(said("a", datetime(2025, 12, 30, 23, tzinfo=UTC)), said("a", datetime(2026, 1, 1, 23, tzinfo=UTC)))
    figure = events.tc.activity("D", tz="Europe/Moscow").plot()
    assert below(figure) == [
        *("messages per day, 31 Dec 2025 to 02 Jan 2026, Europe/Moscow", "31 Dec", "01 Jan", "02 Jan"),
    ]
    middles = [bar.get_x() + bar.get_width() / 2 for bar in figure.axes[0].patches]
    assert figure.axes[0].get_xticks() == pytest.approx(middles)


def test_one_period_by_group_can_be_seen():
    """A line of one period is a point."""
    assert analysis.activity(ONE, by="author", plot=True).axes[0].lines[0].get_marker() == "o"


def test_membership_figure_names_its_periods():
    """The figure of membership says which days it is about."""
    events = frame(said("a", 0), event("added_chat_participant", 1, user_id="b@s"))
    assert below(analysis.membership(events, plot=True))[0].endswith("per day, 02 Mar 2026, UTC")
    assert below(analysis.membership(events, "M", plot=True))[1:] == ["Mar 2026"]


def test_periods_that_lie_close_are_not_named_over_one_another():
    """Of periods with gaps between them only such are named as have room."""
    days = (0, 1, 2, 40, 79, 80)
    events = frame(*(said("a", day * 24 * 60) for day in days))
    figure = events.tc.activity("D", by="author", plot=True)
    assert below(figure)[1:] == ["02 Mar", "11 Apr", "20 May"]


def test_emoji_that_no_font_has_are_left_out_of_labels():
    """Figures have no boxes for emoji: they are left out, and what consists of them is called by its id, or so."""
    events = frame(
        said("a", 0, "🚀 go? 👩‍💻🇷🇺 ♥"), said("b", 1, "🚀🚀", author="🌸 Zoe 🌸"), said("rose", 2, "ok?", author="🌸")
    )
    labels = [label.get_text() for label in events.tc.unanswered(threshold="1s", plot=True).axes[0].get_yticklabels()]
    assert labels == ["Alice Doe: go? ♥", "Zoe: (emoji)", "rose@s: ok?"]


def test_strange_names_are_drawn():
    """Right-to-left names, signs that no font has, control signs, formulas and endless names do not break a figure."""
    strange = ["נועה כהן", "محمد", "\ud7ff漢字 𓀀", "$x^2$ _a_ {b}", "line\nbreak\x00", "W" * 300, "👩‍💻", ""]
    events = frame(*(said(f"p{place}", place, "ж" * 4096, author=name) for place, name in enumerate(strange)))
    for name in ("talkers", "response_matrix", "response_times", "words", "unanswered", "graph"):
        assert figure_png(getattr(events.tc, name)(plot=True)).startswith(PNG)


def test_figure_is_sent_in_its_own_colours(events):
    """A figure keeps its ground when it is saved as `send_photo` saves it."""
    from PIL import Image

    image = Image.open(io.BytesIO(figure_png(events.tc.heatmap(plot=True, theme="dark")))).convert("RGB")
    assert image.getpixel((2, 2)) == (20, 24, 31)


def test_theme_follows_matplotlib(events):
    """`auto` is dark where matplotlib's style is."""
    import matplotlib.style

    with matplotlib.style.context("dark_background"):
        assert events.tc.heatmap(plot=True).theme.name == "dark"
    assert events.tc.heatmap(plot=True).theme.name == "light"


def test_accessor_of_messages(events):
    """The accessor works on messages; what needs more than messages says so."""
    messages = as_messages(events)
    assert messages.tc.talkers()["messages"].tolist() == events.tc.talkers()["messages"].tolist()
    with pytest.raises(UsageError, match=r"needs all events, .* such as tc\.df"):
        messages.tc.summary()
    with pytest.raises(UsageError, match="lacks user_id"):
        messages.tc.membership()


def test_rows_of_a_result_still_draw_themselves(events):
    """What is filtered, sorted or cut from a result is drawn like it; what has other columns is drawn by pandas."""
    result = events.tc.talkers()
    for rows in (result.head(3), result[result["messages"] > 2], result.sort_values("author"), result.copy()):
        assert figure_of(rows.plot()).texts[0].get_text() == "Who writes most"
    axes = result.set_index("author")[["messages"]].plot(kind="bar")
    assert axes.get_legend() is not None
    assert result.plot.scatter(x="messages", y="characters") is not None


def test_accessor_reaches_every_analysis(events):
    """`df.tc` has every analysis as a method, with its signature and docstring, and nothing else."""
    assert dir(events.tc) == sorted(analysis.__all__)
    assert events.tc.heatmap.__doc__ == analysis.heatmap.__doc__
    pd.testing.assert_frame_equal(events.tc.heatmap(tz="Asia/Tokyo"), analysis.heatmap(events, tz="Asia/Tokyo"))
    with pytest.raises(AttributeError, match="no analysis 'heatmop'"):
        _ = events.tc.heatmop


def test_registering_twice_is_registering_once(recwarn):
    """A second registration changes nothing and says nothing."""
    register()
    assert pd.DataFrame.tc is Analyses
    assert not recwarn.list


def test_registering_imports_neither_narwhals_nor_matplotlib():
    """The accessor is there before anything heavy is."""
    code = (
        "import sys; from tcnb.analysis.accessor import register; register(); import pandas as pd\n"
        "print(dir(pd.DataFrame().tc)[0], sorted({'narwhals', 'matplotlib'} & set(sys.modules)))"
    )
    said_of_it = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said_of_it.strip() == "activity []"


def test_missing_package_is_one_clear_line():
    """Without narwhals, an analysis says what to install."""
    code = (
        "import sys; sys.modules['narwhals'] = None\n"
        "from tcnb import analysis\n"
        "try: analysis.heatmap\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    said_of_it = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said_of_it.strip() == 'MissingPackageError the analyses need narwhals: pip install "tcnb[analysis]"'


def test_missing_matplotlib_is_one_clear_line(events):
    """Without matplotlib, tables work and figures say what to install."""
    code = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from tests.analysis.frames import frame\n"
        "from tcnb import analysis\n"
        "result = analysis.heatmap(frame())\n"
        "for draw in (result.plot, lambda: analysis.heatmap(frame(), plot=True)):\n"
        "  try: draw()\n"
        "  except Exception as error: print(type(error).__name__, error)"
    )
    said_of_it = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert (
        said_of_it.strip().splitlines()
        == ['MissingPackageError figures need matplotlib: pip install "tcnb[analysis]"'] * 2
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: analysis.heatmap(pd.DataFrame({"a": [1]})), "lacks event, seq"),
        (lambda: analysis.heatmap([1, 2]), "list is no frame of events"),
        (lambda: analysis.heatmap(ONE, tz="Mars/Olympus"), "no time zone is called 'Mars/Olympus'"),
        (lambda: analysis.activity(ONE, "7h"), "no frequency is called '7h'"),
        (lambda: analysis.activity(ONE, "often"), "no frequency is called 'often'"),
        (lambda: analysis.activity(ONE, by="role"), "not by 'role'"),
        (lambda: analysis.response_times(ONE, threshold="soon"), "threshold is a length of time"),
        (lambda: analysis.conversations(ONE, -5), "gap is a length of time"),
        (lambda: analysis.words(ONE, stop=None), "words to leave out besides, such as .*, not None"),
        (lambda: analysis.words(ONE, stop=5), "not 5"),
        (lambda: analysis.words(ONE, stop=["a", 5]), r"not \['a', 5\]"),
        (lambda: analysis.words(ONE, min_length="a"), "min_length is a number of letters, 0 or more, not 'a'"),
        (lambda: analysis.words(ONE, min_length=-1), "not -1"),
        (lambda: analysis.heatmap(ONE.assign(timestamp="soon")), r"column timestamp is .*, not datetime64"),
        (lambda: analysis.heatmap(ONE.assign(seq="x")), r"column seq is .*, not Int64"),
        (lambda: analysis.heatmap(ONE).plot("nope"), "pandas cannot plot this .*'nope'"),
        (lambda: analysis.heatmap(ONE).plot(kind="nope"), "nope is not a valid plot kind"),
        (lambda: analysis.heatmap(ONE).plot(theme=5), "^a theme is 'light', 'dark' or 'auto', not 5"),
        (lambda: analysis.heatmap(ONE).assign(hour="x").plot(), "changed rows have no figure of heatmap"),
        (lambda: analysis.heatmap(ONE).assign(hour=30).plot(), "changed rows have no figure of heatmap"),
        (lambda: analysis.heatmap(ONE, plot=True, theme="pink"), "'light', 'dark' or 'auto', not 'pink'"),
    ],
)
def test_wrong_calls_say_what_to_do(call, message):
    """A wrong call is one line that says what is wrong."""
    with pytest.raises(UsageError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_a_concatenation_counts_each_message_once():
    """The records of two bots in the same chats say the same twice; it counts once, and removals apply to both."""
    mine = frame(said("a", 0), said("b", 1, direction="out"), said("a", 2))
    other = frame(said("a", 0), said("b", 1), said("a", 2), event("removed_message", 3, message_id="m3"))
    both = pd.concat([mine, other], ignore_index=True)
    assert both.tc.summary()["messages"].tolist() == [2]
    assert both.tc.response_times()["seconds"].tolist() == [60.0]


def test_same_id_in_two_chats_is_two_messages():
    """Ids of other products are unique within a chat only."""
    events = frame(
        said("a", 0, message_id="1"), said("a", 0, message_id="1", chat_id="h"), said("b", 1, chat_id="h", reply_to="1")
    )
    assert events.tc.summary()["messages"].tolist() == [3]
    assert events.tc.threads()["chat_id"].tolist() == ["h"]


def test_messages_without_an_id_are_all_kept():
    """Messages without ids are told apart by their times."""
    events = frame(said("a", 0, message_id=None), said("a", 1, message_id=None))
    assert events.tc.summary()["messages"].tolist() == [2]


@pytest.mark.parametrize("change", ["strings", "objects", "arrow", "nanoseconds", "naive", "parquet", "index"])
def test_other_types_of_the_same_columns(change, events, tmp_path):
    """Strings instead of categories, Arrow's types, other units of time, and a file in between change nothing."""
    texts = [name for name, dtype in events.dtypes.items() if str(dtype) in ("category", "string")]
    times = ["received", "timestamp"]
    made = {
        "strings": lambda: events.astype(dict.fromkeys(texts, "string")),
        "objects": lambda: events.astype(dict.fromkeys(texts, object)),
        "arrow": lambda: events.astype(dict.fromkeys(texts, "string")).convert_dtypes(dtype_backend="pyarrow"),
        "nanoseconds": lambda: events.astype(dict.fromkeys(times, "datetime64[ns, Europe/Moscow]")),
        "naive": lambda: events.assign(**{name: events[name].dt.tz_localize(None) for name in times}),
        "parquet": lambda: _through_parquet(events, tmp_path / "events.parquet"),
        "index": lambda: events.set_axis([5] * len(events)),
    }[change]()
    for name in ("activity", "response_times", "threads", "emoji", "files"):
        pd.testing.assert_frame_equal(getattr(made.tc, name)(), getattr(events.tc, name)())


def _through_parquet(events, path):
    events.to_parquet(path)
    return pd.read_parquet(path)


def test_parquet_scanned_by_polars_and_duckdb(events, tmp_path):
    """A file that is scanned, not read, gives the same answers."""
    pl, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    path = tmp_path / "events.parquet"
    events.to_parquet(path)
    expected = events.tc.heatmap()["messages"].tolist()
    for scanned in (pl.scan_parquet(path), duckdb.read_parquet(str(path))):
        result = nw.from_native(analysis.heatmap(scanned)).lazy().collect("pyarrow")
        assert result["messages"].to_list() == expected


def of_year(year: int) -> pd.Timestamp:
    """Return a moment of a year."""
    return pd.Timestamp(year=year, month=7, day=1, tz="UTC")


TIMELESS = frame(
    said("a", 0),
    said("a", None, received=at(1)),
    *(said("b", None, timestamp=of_year(year), received=at(2)) for year in (1800, 2027, 3000, 9999)),
    said("b", None, timestamp=of_year(3000), received=of_year(3000)),
    said("a", 90),
)
"""Two messages whose times can be, among such whose times cannot."""


@pytest.mark.parametrize("name", schema.ANALYSES)
def test_messages_without_a_time_that_can_be_are_told_of(name):
    """Every analysis says how many messages it leaves out."""
    with pytest.warns(UserWarning, match="6 messages have no time of writing"):
        getattr(TIMELESS.tc, name)()


def test_messages_without_a_time_that_can_be_are_left_out():
    """A message without a time, or of another age, is counted nowhere, and makes no period."""
    with pytest.warns(UserWarning, match="are left out"):
        hours = TIMELESS.tc.activity("h", tz="Asia/Tokyo")
    assert hours["messages"].tolist() == [1, 1]
    with pytest.warns(UserWarning, match="are left out"):
        assert TIMELESS.tc.talkers()["messages"].tolist() == [2]


def test_periods_without_messages_are_bounded():
    """Between messages of two ages there are not millions of empty periods."""
    events = frame(said("a", None, timestamp=of_year(1980), received=at(0)), said("a", 0))
    with pytest.warns(UserWarning, match="more than 500,000 periods"):
        assert events.tc.activity("min")["messages"].tolist() == [1, 1]
    assert len(events.tc.activity("M")) > 500


def test_deleted_authors_are_one_row():
    """Messages without an author stand together, and are nobody's response to one another."""
    events = frame(said(None, 0), said(None, 1), said("a", 2))
    assert events.tc.talkers()["author_id"].isna().tolist() == [True, False]
    assert events.tc.summary()["people"].tolist() == [1]
    assert events.tc.response_times()["to_id"].isna().tolist() == [True]


def test_the_last_title_wins():
    """A chat is called by its last title, also where only the renaming says it."""
    events = frame(
        said("a", 0, chat="Old"), said("b", 1, chat="Old"), event("edited_chat_title", 2, chat="New", title="New")
    )
    assert events.tc.conversations()["chat"].tolist() == ["New"]


def test_analyses_do_not_touch_the_frame(events):
    """What was given stays as it was."""
    before = events.copy(deep=True)
    for name in analysis.__all__:
        getattr(events.tc, name)()
    pd.testing.assert_frame_equal(events, before)


def test_plot_on_another_engine(events):
    """`plot=True` gives a figure on every engine."""
    assert analysis.talkers(moved(events, "pyarrow"), plot=True)._repr_png_().startswith(PNG)
