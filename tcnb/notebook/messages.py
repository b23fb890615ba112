"""Every sentence that the magics can show a person, one function each; nothing is decided or printed here."""

from __future__ import annotations

from collections.abc import Iterable

from tcnb.arguments import describe

BRACES_ON_A_LINE = "To send braces as they are, double them ({{ and }}) or use the cell form (%%tc_send)."
BRACES_IN_A_QUERY = "To keep braces as they are, double them ({{ and }}) or use the cell form (%%tc_sql)."
BRACES_IN_A_BODY = "To send braces as they are, double them ({{ and }}) or leave out -f."
BRACES_IN_A_QUERY_BODY = "To keep braces as they are, double them ({{ and }}) or leave out -f."
BRACES_IN_A_FIELD = "Where a brace is meant as it stands, double it ({{ and }})."


# How a line is written


def nothing_given(what: str, usage: str) -> str:
    """A required part of the line is missing."""
    return f"the {what} is missing. Usage: {usage}"


def question_in_the_loading_cell(line: str) -> str:
    """The cell that loads the extension has a line that IPython has already taken for a request for help."""
    return (
        f"IPython has already read {_short(line)!r} as a question for help, because the cell was read before the "
        "extension was there: put %load_ext tcnb into a cell of its own"
    )


def empty_text(usage: str) -> str:
    """There is a text, but nothing in it."""
    return f"the text is empty. Usage: {usage}"


def text_on_the_head_line(verb: str, text: str) -> str:
    """A cell magic got text beside the chat."""
    return (
        f"in the cell form the text stands below the first line, but {_short(text)!r} follows the chat on it "
        f'(a title with spaces needs quotes: %%{verb} "Release crew")'
    )


def unexpected_text(text: str, usage: str) -> str:
    """The line goes on where it should have ended."""
    return f"{_short(text)!r} is more than this takes (a name with spaces needs quotes). Usage: {usage}"


def unexpected_text_beside_a_server(usage: str) -> str:
    """More than a server was given; it might be a password, so it is not repeated."""
    return f"there is more on the line than a server (not repeated here, in case it is private). Usage: {usage}"


def options_at_the_end(verb: str, what: str, options: str) -> str:
    """A text ends in what is an option of the magic."""
    return (
        f"the {what} ends in {_short(options)}, and %{verb} takes options before the {what} only: "
        f"move it there, or put -- before the {what} to keep it as it is"
    )


def unclosed_quote(quote: str) -> str:
    """A field opens with a quotation mark that is never closed."""
    return f"a quotation mark {quote} is opened and never closed"


def no_space_after_quote(quote: str) -> str:
    """Something is glued to a quoted field."""
    return f"a space is missing after the closing quotation mark {quote}"


def unknown_option(option: str, suggestion: str | None, verb: str, options: Iterable[str]) -> str:
    """There is no such option."""
    if suggestion:
        return f"%{verb} has no option {option}, did you mean {suggestion}? (A text may begin with a dash after --.)"
    known = ", ".join(options)
    return f"%{verb} has no option {option}; it has {known}. (A text may begin with a dash after --.)"


def not_above_zero(option: str, value: object) -> str:
    """A length of time is none."""
    return f"{option} takes a number above 0, not {_short(str(value))!r}"


def option_needs_value(option: str, metavar: str) -> str:
    """An option came without its value."""
    return f"{option} needs a value: {option} {metavar}"


def option_takes_no_value(option: str) -> str:
    """A flag came with `=something`."""
    return f"{option} takes no value"


def option_given_twice(option: str) -> str:
    """The same option stands there twice."""
    return f"{option} is given twice"


def options_exclude(one: str, other: str) -> str:
    """Two options contradict each other."""
    return f"{one} and {other} cannot be given together"


def option_needs_another(option: str, other: str) -> str:
    """An option means nothing without another."""
    return f"{option} only goes with {other}"


def not_a_number(option: str, value: object, kind: str) -> str:
    """An option wants a number and got something else."""
    return f"{option} takes a {kind}, 0 or more, not {_short(str(value))!r}"


def unknown_mode(mode: object) -> str:
    """There is no such way of writing a text."""
    return f"--mode takes text, markdown or html, not {_short(str(mode))!r}"


def no_code(verb: str) -> str:
    """A handler has no code."""
    return f"there is no code to run: it stands below the first line of %%{verb}, or at the end of the line of %{verb}"


def not_a_pattern(pattern: str, problem: str) -> str:
    """What should be a regular expression is none."""
    return f"--pattern takes a regular expression, and {_short(pattern)!r} is none ({_one_line(problem)})"


def not_a_message(value: object) -> str:
    """What should be answered is no message and no message id."""
    return f"--reply takes a message id or a message, not a {type(value).__name__}"


def not_a_chat(value: object) -> str:
    """What stands for a chat is neither a name nor something that has a chat_id."""
    return f"a chat is a title, an id, a login or something with a chat_id, not a {type(value).__name__}"


def title_needs_quotes(original: str, title: str) -> str:
    """The first word of a known title was taken for the chat."""
    return f'{original} A title with spaces needs quotes: "{title}".'


# Expressions in braces and names after a dollar


def unclosed_brace(rest: str, hint: str) -> str:
    """A brace is opened and never closed."""
    return f"the brace in {_short(rest)!r} is never closed. {hint}"


def empty_braces(hint: str) -> str:
    """There is nothing between the braces."""
    return f"there is no expression in {{}}. {hint}"


def looks_like_json(source: str, hint: str) -> str:
    """A dictionary or JSON was written where an expression is expected."""
    return f"{_short(source)!r} looks like JSON, but braces hold an expression here. {hint}"


def not_an_expression(source: str, problem: str, hint: str) -> str:
    """What stands in braces is not Python."""
    return f"{{{_short(source)}}} is not a Python expression ({_one_line(problem)}). {hint}"


def expression_failed(source: str, error: BaseException, hint: str) -> str:
    """An expression raised; nothing was sent."""
    return f"{{{_short(source)}}} failed: {described(error)}. {hint}"


def missing_value(source: str, is_name: bool, value: object) -> str:
    """A field is nothing but a missing value."""
    written = f"${source}" if is_name else f"{{{_short(source)}}}"
    word = f"{{{source}!s}}" if len(source) <= 40 else "{…!s}"
    return f"{written} is {value}, which is nothing to put here. Where the word itself is meant, write {word}."


def unknown_conversion(source: str, conversion: str) -> str:
    """A conversion other than !r, !s and !a."""
    return f"{{{_short(source)}!{_short(conversion)}}}: the conversions are !r, !s and !a"


def undefined_name(name: str) -> str:
    """There is no variable of that name."""
    return f"there is no variable {name!r} for ${name}. For a dollar sign as it stands, double it: $${name}"


# Secrets


def secret_option(option: str) -> str:
    """A password or token was given as an option; its value is never repeated."""
    return f"{option} is not taken here, because the notebook would store the secret. {WHERE_SECRETS_GO}"


def secret_in_address() -> str:
    """A password was written into the server's address."""
    return f"a password inside the server's address would be stored in the notebook. {WHERE_SECRETS_GO}"


def secret_in_text() -> str:
    """Something like `password=…` was written behind the server."""
    return f"a password or token on the line would be stored in the notebook. {WHERE_SECRETS_GO}"


WHERE_SECRETS_GO = (
    "Put it into the environment or a .env file (TRUECONF_PASSWORD or TRUECONF_TOKEN), into the keyring, or leave it "
    "out and be asked. This cell contains it now: remove it there, and change it if the notebook was saved or shared."
)


def credentials_in_address() -> str:
    """An expression produced an address with a password in it."""
    return "the server's address contains a login and password: give the server alone, the login with --username"


def two_usernames() -> str:
    """The login stands before the server and in --username as well."""
    return "the login is given twice: before the server's @ and with --username"


# Connections


def not_connected() -> str:
    """There is no connection in this kernel."""
    return "there is no connection yet: run %tc_connect first (%tc_connect --practice needs no server)"


def no_such_connection(name: str, names: Iterable[str]) -> str:
    """There is no connection of that name."""
    known = ", ".join(names)
    return f"there is no connection called {name!r}: " + (
        f"there is {known}" if known else f"run %tc_connect --as {name} first"
    )


def which_connection(names: Iterable[str]) -> str:
    """None of the connections is the default one, so that one has to be named."""
    return f"no connection is called default: say which is meant, {' or '.join(f'--as {name}' for name in names)}"


def which_of_one_name(name: str, variables: Iterable[str]) -> str:
    """Several sessions have one name, or one has the name of another that was closed."""
    held = list(variables)
    what = f"which session called {name} is meant is not clear"
    if not held:
        return f"{what}: run %tc_connect again, or %tc_disconnect --all before it"
    where = f"{' and '.join(held)} hold{'s' if len(held) == 1 else ''} one, made by tcnb.connect"
    return f"{what}: {where}: put the right one into tc (tc = {held[0]})"


def connection_closed(name: str) -> str:
    """The connection of that name was closed."""
    again = "%tc_connect" if name == "default" else f"%tc_connect --as {name}"
    return f"the connection {name!r} was closed: run {again} again"


def session_replaced(variable: str, account: str) -> str:
    """A cell that connects was run again."""
    return f"tcnb: {variable} holds a new session of {account}; the one before was closed"


def handlers_failed(count: int, what_failed: str, error: str, variable: str | None) -> str:
    """Handlers, or what belongs to them, raised exceptions since the last cell."""
    what = "a handler failed" if count == 1 else f"handlers failed {count:,} times"
    last = "" if count == 1 else "the last: "
    where = f" (traceback: print({variable}.router.failures[-1]))" if variable else ""
    return f"tcnb: {what}: {last}{what_failed}: {_short(error, 200)}{where}"


def nothing_connected_status() -> str:
    """What %tc_status says before anything is connected."""
    return "not connected (%tc_connect connects, %tc_connect --practice tries it without a server)"


def bad_connection_name(name: object) -> str:
    """A connection's name is empty or no text."""
    return f"--as takes a name, not {_short(str(name))!r}"


# What the world answers


def connection_failed(error: BaseException) -> str:
    """A network error that no floor below has named."""
    return f"the connection failed: {described(error)}. %tc_status tells how it stands"


def file_unreadable(error: OSError) -> str:
    """A file cannot be read."""
    return f"{error.filename!r} cannot be read: {error.strerror or type(error).__name__}"


def unreachable_from_binder(reason: str) -> str:
    return f"{reason} (Binder reaches public addresses only, no corporate server: try %tc_connect --practice)"


def not_a_variable(name: str) -> str:
    return f"{name!r} cannot be the name of a variable: write  %%tc_sql answer <<"


def no_query(expression: str, value: object) -> str:
    """What stands for a whole query is no text."""
    return f"{expression} is no query but {describe(value)}: give SQL as a text"


def expression_in_a_name(written: str) -> str:
    """An expression stands in the quoted name of a table or column."""
    return f"{_short(written)} is the name of a table or column, and expressions are values: write the name itself"


def not_a_parameter(written: str) -> str:
    """An option that should name a parameter does not."""
    return f"{_short(written)!r} is no parameter: write  --param name={{value}}  and $name in the query"


def parameter_given_twice(name: str) -> str:
    return f"--param {name} is given twice"


def described(error: BaseException) -> str:
    """An exception in one line, with its name."""
    text = _one_line(str(error))
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _short(text: str, most: int = 60) -> str:
    text = _one_line(text)
    return text if len(text) <= most else text[: most - 1] + "…"
