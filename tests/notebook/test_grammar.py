"""How a line is divided: fields, options, text, quotes, dashes and the silencing semicolon."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcnb.errors import SecretOnLineError, UsageError
from tcnb.notebook.magics.grammar import Line, read, require_fields, split_silencer, without_outer_quotes
from tcnb.notebook.magics.verbs import CONNECT, FEED, PHOTO, SEND, STATUS, STICKER, VERBS


def sending(line: str) -> tuple[str | None, dict[str, str], str | None]:
    found = read(SEND, line)
    return found.fields.get("chat"), found.options, found.text


@pytest.mark.parametrize(
    ("line", "chat", "text"),
    [
        ("crew hello", "crew", "hello"),
        ('"Release crew" hello', "Release crew", "hello"),
        ("'Release crew' hello", "Release crew", "hello"),
        ('"Bob\'s" hello', "Bob's", "hello"),
        ("alice@video.example.com hello", "alice@video.example.com", "hello"),
        ("   crew    hello   ", "crew", "hello"),
        ("crew\thello", "crew", "hello"),
        ("Команда привет, мир 🚀", "Команда", "привет, мир 🚀"),
        ("{chats.loc[0, 'title']} hello", "{chats.loc[0, 'title']}", "hello"),
        ('"{d["a b"]}" hello', '{d["a b"]}', "hello"),
    ],
)
def test_chat_and_text(line: str, chat: str, text: str) -> None:
    """The first field is the chat, in quotes if it has blanks, and the rest is the text."""
    assert sending(line) == (chat, {}, text)


@pytest.mark.parametrize(
    "text",
    [
        "two  blanks   stay",
        "it's fine",
        'he said "hi" and left',
        "# not a comment",
        r"C:\new\table",
        r"\d+\s*",
        "a -- b --markdown",
        "brackets ( [ <",
        "{x} and $y",
        "tab\tinside",
        "naïve café 你好 🙂",
        "'",
        "ends with a quote'",
    ],
)
def test_text_is_verbatim(text: str) -> None:
    """What follows the head is taken as it stands."""
    assert sending(f"crew {text}") == ("crew", {}, text)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ('"hello"', "hello"),
        ("'hello'", "hello"),
        ('"  blanks kept  "', "  blanks kept  "),
        ("'it's done'", "it's done"),
        ('"He said "hi" to me"', 'He said "hi" to me'),
        ('"a" and "b"', '"a" and "b"'),
        ('"a", "b"', '"a", "b"'),
        ("\"a' ", "\"a'"),
        ('"', '"'),
        ('""', ""),
        ("plain", "plain"),
        ('"("inner") rest"', '("inner") rest'),
    ],
)
def test_one_outer_pair_of_quotes_is_removed(text: str, sent: str) -> None:
    """Quotation marks around a whole text go; those that belong to a part of it stay."""
    assert without_outer_quotes(text.strip()) == sent


@pytest.mark.parametrize(
    ("line", "options", "text"),
    [
        ("crew --markdown **hi**", {"markdown": ""}, "**hi**"),
        ("--markdown crew **hi**", {"markdown": ""}, "**hi**"),
        ("crew --reply m1 hi", {"reply": "m1"}, "hi"),
        ("crew --reply=m1 hi", {"reply": "m1"}, "hi"),
        ('crew --as "my ops" hi', {"as": "my ops"}, "hi"),
        ("crew --as='my ops' hi", {"as": "my ops"}, "hi"),
        ("crew --reply {log.iloc[-1, 0]} hi", {"reply": "{log.iloc[-1, 0]}"}, "hi"),
        ("crew --html --timeout 5 --reply m1 hi", {"html": "", "timeout": "5", "reply": "m1"}, "hi"),
        ("crew -f hi", {"f": ""}, "hi"),
    ],
)
def test_options_in_the_head(line: str, options: dict[str, str], text: str) -> None:
    """Options are read before and after the chat, with a blank or `=` before their value."""
    assert sending(line) == ("crew", options, text)


def test_option_behind_the_text_belongs_to_it() -> None:
    """After the text has begun nothing is an option any more."""
    assert sending("crew run it with --html please") == ("crew", {}, "run it with --html please")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("crew -- --force is not needed", "--force is not needed"),
        ("crew --markdown -- -x", "-x"),
        ("crew - a point of a list", "- a point of a list"),
        ("crew -5 degrees", "-5 degrees"),
        ("crew --- a rule ---", "--- a rule ---"),
        ("crew — a dash", "— a dash"),
        ('crew "--force"', "--force"),
    ],
)
def test_text_that_begins_with_a_dash(line: str, text: str) -> None:
    """`--` ends the head, and what is no option's name begins the text."""
    chat, _, found = sending(line)
    assert (chat, found) == ("crew", text)


def test_end_of_head_before_the_chat() -> None:
    """After `--` the fields that are still missing are read, and no options."""
    assert sending("-- crew --html") == ("crew", {}, "--html")


@pytest.mark.parametrize(
    "path",
    [
        r"C:\Users\robot\new.png",
        "plots/burndown.png",
        "https://example.com/a.png?b=c#d",
        r"\\server\share\x.png",
        "~/x.png",
    ],
)
def test_bare_file(path: str) -> None:
    """A bare file keeps its backslashes, and the caption follows."""
    found = read(PHOTO, f"crew {path} The caption")
    assert (found.fields["file"], found.text) == (path, "The caption")


def test_quoted_file() -> None:
    """A file in quotes may have blanks, and a backslash before the closing quotation mark closes nothing."""
    found = read(PHOTO, r'crew "C:\My Pictures\" caption')
    assert (found.fields["file"], found.text) == ("C:\\My Pictures\\", "caption")


def test_file_expression_with_blanks() -> None:
    """What stands in braces is one field, whatever is in it."""
    found = read(PHOTO, "crew {plot(a, 'b } c')} caption")
    assert (found.fields["file"], found.text) == ("{plot(a, 'b } c')}", "caption")


def test_no_caption() -> None:
    """A caption may be left out."""
    assert read(PHOTO, "crew a.png").text is None


def test_several_chats() -> None:
    """A verb that takes several chats reads them all."""
    found = read(FEED, '"Release crew" alice bob')
    assert (found.fields["chat"], found.more) == ("Release crew", ["alice", "bob"])


def test_empty_line() -> None:
    """An empty line has nothing in it."""
    assert read(SEND, "  ") == Line()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("crew --markdwon hi", "did you mean --markdown?"),
        ("crew --replay m1 hi", "did you mean --reply?"),
        ("crew --zzz hi", "it has --markdown, --html"),
        ("crew -x hi", "%tc_send has no option -x"),
        ("crew --reply", "--reply needs a value: --reply MESSAGE_ID"),
        ("crew --reply --html hi", "--reply needs a value"),
        ("crew --html=yes hi", "--html takes no value"),
        ("crew --html --html hi", "--html is given twice"),
        ('"Release crew hi', 'a quotation mark " is opened and never closed'),
        ('"Release"crew hi', "a space is missing"),
    ],
)
def test_what_is_wrong_is_named(line: str, said: str) -> None:
    """A line that cannot be read is an error that says what is wrong with it."""
    with pytest.raises(UsageError) as caught:
        read(SEND, line)
    assert said in str(caught.value)


@pytest.mark.parametrize("comment", ["# all of it", "#", "# it's --odd \"quoted"])
def test_comment_behind_a_verb_without_a_text(comment: str) -> None:
    """A `#` that stands by itself begins a comment where no text can be; a title may begin with one."""
    assert read(STATUS, f"--as ops  {comment}").options == {"as": "ops"}
    assert read(STICKER, f"#crew a.webp {comment}").fields == {"chat": "#crew", "file": "a.webp"}
    assert read(SEND, f"crew {comment}").text == comment


def test_more_than_a_verb_takes() -> None:
    """A verb without a text refuses one, and shows how it is used."""
    with pytest.raises(UsageError, match=r"more than this takes .* Usage: %tc_status \[options\]"):
        read(STATUS, "please")
    with pytest.raises(UsageError, match="Usage: %tc_sticker chat file"):
        read(STICKER, "crew a.webp with text")


@pytest.mark.parametrize(
    "line",
    [
        "host --password hunter2",
        "host --password=hunter2",
        "host --PASSWORD hunter2",
        "host -p hunter2",
        "host --pass hunter2",
        "host --token hunter2",
        "host --access-token hunter2",
        "host --client-secret=hunter2",
        "host password=hunter2",
        "host token: hunter2",
        "host TRUECONF_PASSWORD=hunter2",
    ],
)
def test_secret_on_the_line(line: str) -> None:
    """A password or token is refused, told where to put it, and never repeated."""
    with pytest.raises(SecretOnLineError) as caught:
        read(CONNECT, line)
    said = str(caught.value)
    assert "hunter2" not in said
    assert "TRUECONF_PASSWORD" in said
    assert "remove it" in said


@pytest.mark.parametrize("line", ["host robot hunter2", "host hunter2", "host --usrname=hunter2", "host 'hunter2'x"])
def test_what_may_be_a_secret_is_not_repeated(line: str) -> None:
    """No error about the line of %tc_connect repeats what might be a password."""
    with pytest.raises(UsageError) as caught:
        read(CONNECT, line)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "rest", "silent"),
    [
        ("crew hi", "crew hi", False),
        ("crew hi;", "crew hi", True),
        ("crew hi ; ", "crew hi", True),
        ("crew hi;;", "crew hi;", True),
        (r"crew hi\;", "crew hi;", False),
        ('crew "hi;"', 'crew "hi;"', False),
        ("crew --html a &gt;", "crew --html a &gt;", False),
        ("crew --html a &#8364;", "crew --html a &#8364;", False),
        ("crew --html a &gt;;", "crew --html a &gt;", True),
        (";", "", True),
        ("", "", False),
    ],
)
def test_silencer(line: str, rest: str, silent: bool) -> None:
    """A trailing semicolon silences and is not part of the text, unless it is escaped, quoted or ends an entity."""
    assert split_silencer(line) == (rest, silent)


@pytest.mark.parametrize("name", sorted(VERBS))
def test_usage_line(name: str) -> None:
    """Every verb has a usage line that begins with its magic."""
    assert VERBS[name].usage.startswith(f"%{name}")


def examples() -> list[str]:
    """Return the lines with a magic in the manual's blocks of code."""
    manual = Path(__file__).parents[2] / "docs" / "magics.md"
    blocks = re.findall(r"```python\n(.*?)```", manual.read_text(encoding="utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if re.match(r"(\w+ = )?%%?tc_", line)]


@pytest.mark.parametrize("line", examples())
def test_examples_of_the_manual(line: str) -> None:
    """Every example in the manual can be read, with all its required fields."""
    name, rest = re.fullmatch(r"(?:\w+ = )?%%?(\w+) ?(.*)", line).groups()  # type: ignore[union-attr]
    require_fields(VERBS[name], read(VERBS[name], rest))


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"])))
def test_any_text_arrives_behind_the_end_of_the_head(text: str) -> None:
    """Behind `--` every text arrives, without the blanks around it and one outer pair of quotes."""
    _, _, found = sending(f"crew -- {text}")
    assert (found or "") == without_outer_quotes(text.strip())


@given(st.text())
def test_reading_never_breaks(line: str) -> None:
    """Whatever stands on a line, it is read or refused with an error of tcnb."""
    for verb in VERBS.values():
        try:
            read(verb, line)
        except UsageError as error:
            assert str(error)
