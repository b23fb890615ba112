"""What names from outside become before anything is written under them."""

from __future__ import annotations

import importlib.machinery
import sys

import pytest

from tcnb.files.names import LONGEST, is_run, numbered, safe_name


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("отчёт №1.pdf", "отчёт №1.pdf"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\Users\\me\\plan.pdf", "plan.pdf"),
        ("/", "file"),
        ("..", "file"),
        ("", "file"),
        (" . ", "file"),
        (".env", "env"),
        (".bashrc", "bashrc"),
        ("report.txt. . ", "report.txt"),
        ("plan.pdf:hidden.exe", "plan.pdf_hidden.exe"),
        ('a<b>c|d?e*f"g', "a_b_c_d_e_f_g"),
        ("line\nbreak\x00\x7f.txt", "line_break__.txt"),
        ("photo\u202egnp.exe", "photo_gnp.exe"),
        ("\u200fplan\u2066.txt", "_plan_.txt"),
        ("ran\u200bdom\ufeff.py", "random.py"),
        ("random.p\u200dy", "random.py"),
        ("👩\u200d🚀.png", "👩\u200d🚀.png"),
        ("lone\ud83d.png", "lone_.png"),
        ("и\u0306.txt", "й.txt"),
        ("CON", "file_CON"),
        ("nul.tar.gz", "file_nul.tar.gz"),
        ("Com1 .txt", "file_Com1 .txt"),
        ("LPT¹", "file_LPT¹"),
        ("CONIN$", "file_CONIN$"),
        ("console.log", "console.log"),
    ],
)
def test_name_is_made_safe(given, safe):
    """Parts of paths, marks that change how a name is read, devices, streams and hidden names are gone."""
    assert safe_name(given) == safe


@pytest.mark.parametrize("name", ["я" * 300 + ".pdf", "😀" * 100 + ".tar.gz", "x" * 500, "a." + "b" * 400])
def test_long_name_is_cut(name):
    """A name too long for a disk keeps its suffix, and has room for a number."""
    safe = safe_name(name)
    assert len(numbered(safe, 9999).encode()) <= 255
    assert len(safe.encode()) <= LONGEST
    assert safe.endswith((".pdf", ".tar.gz", "x", "b"))


def test_name_that_the_disk_has_no_code_for(monkeypatch):
    """Characters that the file system's encoding lacks are replaced."""
    monkeypatch.setattr(sys, "getfilesystemencoding", lambda: "cp1251")
    assert safe_name("отчёт 😀.txt") == "отчёт _.txt"


@pytest.mark.parametrize(
    "name",
    [
        *("random.py", "RANDOM.PY", "sitecustomize.py", "evil.pth", "json.pyc", "numpy.so", "math.pyd", "start.ipy"),
        *("git.exe", "git.bat", "ls.cmd", "open.lnk", "tool.js", "conftest.py", "pytest.ini", "pyproject.toml"),
        *("jupyter_lab_config.json", "jupyter_notebook_config.py", "ipython_config.json", "Makefile", "matplotlibrc"),
        *(f"json{suffix}" for suffix in importlib.machinery.all_suffixes()),
    ],
)
def test_what_could_run_is_recognised(name):
    """What Python, IPython, Jupyter or a shell takes from the working folder is told from what merely lies there."""
    assert is_run(name)


@pytest.mark.parametrize(
    "name", ["plan.pdf", "analysis.ipynb", "py", "data.json", "random.py.txt", "model.pt", "a.csv"]
)
def test_what_cannot_run_is_left_alone(name):
    """Documents, notebooks and data are none of that."""
    assert not is_run(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("plan.pdf", "plan (2).pdf"), ("logs.tar.gz", "logs (2).tar.gz"), ("README", "README (2)"), ("v1.2", "v1 (2).2")],
)
def test_number_goes_before_the_suffix(name, expected):
    """A name is numbered as browsers do it."""
    assert numbered(name, 2) == expected
    assert numbered(name, 0) == name
