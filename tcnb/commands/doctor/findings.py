"""What an examination says: one sentence about one thing, and how bad it is; nothing is examined here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tcnb.console import harmless


class Verdict(StrEnum):
    """How bad it is: only a problem keeps tcnb from working."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """What was found about one thing.

    Attributes:
        check: what was looked at, in a word or two.
        verdict: how bad it is.
        text: what is so, or what is wrong and what to do; one line.
    """

    check: str
    verdict: Verdict
    text: str

    def __str__(self) -> str:
        return harmless(f"{self.verdict:<8} {self.check:<16} {self.text}")


def summary(findings: Sequence[Finding]) -> str:
    """Return what findings come to, in one line: which of them are problems, and which are warnings."""
    named = []
    for verdict in (Verdict.PROBLEM, Verdict.WARNING):
        checks = list(dict.fromkeys(finding.check for finding in findings if finding.verdict is verdict))
        count = sum(finding.verdict is verdict for finding in findings)
        if checks:
            named.append(f"{count} {verdict}{'' if count == 1 else 's'}: {', '.join(checks)}")
    return "; ".join(named) or "everything is in order"


def ok(check: str, text: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(check, Verdict.OK, text)


def warning(check: str, text: str) -> Finding:
    """Return a finding that may come to matter."""
    return Finding(check, Verdict.WARNING, text)


def problem(check: str, text: str) -> Finding:
    """Return a finding that keeps tcnb from working."""
    return Finding(check, Verdict.PROBLEM, text)
