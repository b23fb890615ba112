"""Loading and unloading: what comes, what goes, and that nothing is left."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from tcnb.errors import UsageError
from tcnb.notebook.extension import load, unload
from tcnb.notebook.magics.verbs import CELL_VERBS, VERBS


def footprint(shell: InteractiveShell) -> dict[str, Any]:
    return {
        "line": set(shell.magics_manager.magics["line"]),
        "cell": set(shell.magics_manager.magics["cell"]),
        "registry": set(shell.magics_manager.registry),
        "tokens": list(shell.input_transformer_manager.token_transformers),
        "post": list(shell.input_transformers_post),
        "matchers": list(shell.Completer.custom_matchers),
        "before": list(shell.events.callbacks["pre_run_cell"]),
        "names": set(shell.user_ns),
    }


def test_load_registers_every_verb(shell: InteractiveShell) -> None:
    """Every verb of the table is a magic, and those with a cell form are cell magics too."""
    load(shell)
    assert {name for name in shell.magics_manager.magics["line"] if name.startswith("tc_")} == set(VERBS)
    assert {name for name in shell.magics_manager.magics["cell"] if name.startswith("tc_")} == CELL_VERBS


def test_load_prints_nothing(shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    """Loading says nothing."""
    shell.run_cell("%load_ext tcnb")
    assert capsys.readouterr() == ("", "")


def test_load_twice(shell: InteractiveShell) -> None:
    """Loading a second time changes nothing."""
    load(shell)
    once = footprint(shell)
    load(shell)
    assert footprint(shell) == once


def test_question_in_the_loading_cell(shell: InteractiveShell) -> None:
    """A text that IPython took for a question before we were there is an error, not lost in silence."""
    result = shell.run_cell("%load_ext tcnb\n%tc_send crew are you there?", store_history=True)
    assert isinstance(result.error_in_exec, UsageError)
    assert "cell of its own" in str(result.error_in_exec)
    shell.run_cell("%load_ext tcnb\n%tc_status?", store_history=True).raise_error()


def test_unload_undoes_everything(shell: InteractiveShell) -> None:
    """After unloading the shell is as it was."""
    before = footprint(shell)
    load(shell)
    assert footprint(shell) != before
    unload(shell)
    assert footprint(shell) == before


def test_unload_without_load(shell: InteractiveShell) -> None:
    """Unloading what was never loaded does nothing."""
    before = footprint(shell)
    unload(shell)
    assert footprint(shell) == before


def test_load_again_after_unload(shell: InteractiveShell) -> None:
    """Unloading and loading again gives the magics back."""
    load(shell)
    unload(shell)
    load(shell)
    assert set(VERBS) <= set(shell.magics_manager.magics["line"])


@pytest.mark.parametrize("name", sorted(VERBS))
def test_help_names_every_option(shell: InteractiveShell, name: str) -> None:
    """The help of each magic begins with a sentence, has its usage and names its options."""
    load(shell)
    help_text = shell.find_magic(name).__doc__ or ""
    assert f"Usage: %{name}" in help_text
    verb = VERBS[name]
    missing = [option.written for option in verb.options if option.written not in help_text and option.name != "mode"]
    assert not missing


def test_loading_waits_for_nothing_that_takes_long():
    """`%load_ext tcnb` imports neither what talks to a server nor what makes frames and widgets."""
    code = (
        "import sys\nfrom IPython.core.interactiveshell import InteractiveShell\n"
        "InteractiveShell.instance().run_line_magic('load_ext', 'tcnb')\n"
        "print(*sorted(name for name in sys.modules if name.split('.')[0] in sys.argv[1:] or name in sys.argv[1:]))"
    )
    slow = [
        "httpx",
        "websockets",
        "pandas",
        "pyarrow",
        "ipywidgets",
        "anywidget",
        "tcnb.types",
        "tcnb.routing",
        "tcnb.client",
    ]
    ran = subprocess.run([sys.executable, "-c", code, *slow], capture_output=True, text=True, timeout=60)
    assert (ran.stdout.strip(), ran.returncode) == ("", 0), ran.stderr


def test_frames_of_no_session_have_the_analyses() -> None:
    """A cell that reads a frame with pandas, which nobody has imported before, may use df.tc at once."""
    cell = "import pandas as pd\nframe = pd.DataFrame()\nnames = dir(frame.tc.talkers)"
    code = (
        "import sys; from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance(); shell.run_cell('%load_ext tcnb').raise_error()\n"
        f"assert 'pandas' not in sys.modules; shell.run_cell({cell!r}).raise_error()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
