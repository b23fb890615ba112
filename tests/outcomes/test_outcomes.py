"""Every method by the official client and by ours against the practice server: each case ends as it must, both end
alike or differ for a reason that is written down, and the published table is what is measured.
"""

from __future__ import annotations

import pytest

pytest.importorskip("trueconf")

from tcnb.practice.methods import METHODS
from tests.outcomes import measuring
from tests.outcomes.cases import CASES, Case
from tests.outcomes.differences import DIFFERENCES, ending, is_same
from tests.outcomes.measuring import Key, Outcome
from tests.outcomes.page import PAGE, rendered

Outcomes = dict[Key, Outcome]

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.method}: {case.case}")


@pytest.fixture(scope="module")
def theirs() -> Outcomes:
    """What came of every case with the official client."""
    return measuring.of_official_client()


@pytest.fixture(scope="module")
def ours() -> Outcomes:
    """What came of every case with tcnb."""
    return measuring.of_tcnb()


def assert_expected(case: Case, outcome: Outcome) -> None:
    """Hold what came of a case against what must come of it."""
    if isinstance(case.outcome, int):
        assert outcome.code == case.outcome, outcome
    elif isinstance(case.outcome, type):
        assert outcome.errors[:1] == (case.outcome.__name__,), outcome
    else:
        assert outcome.is_as_expected, outcome


@every_case
def test_ours_ends_as_it_must(case: Case, ours: Outcomes) -> None:
    """With tcnb the case ends as it must."""
    assert_expected(case, ours[case[:2]])


@every_case
def test_theirs_ends_like_ours_or_as_the_table_says(case: Case, ours: Outcomes, theirs: Outcomes) -> None:
    """With the official client the case ends alike, or as the table of differences says."""
    key = case[:2]
    if key in DIFFERENCES:
        assert ending(theirs[key]) == DIFFERENCES[key].theirs
        assert not is_same(ours[key], theirs[key])
    else:
        assert is_same(ours[key], theirs[key]), (ours[key], theirs[key])


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.is_good], ids=lambda case: f"{case.method}: {case.case}"
)
def test_good_case_is_good_with_theirs_too(case: Case, theirs: Outcomes) -> None:
    """With the official client a good case has the same effect, but for what it does not implement."""
    if DIFFERENCES.get(case[:2]) is None:
        assert_expected(case, theirs[case[:2]])


def test_every_method_has_good_and_bad_cases() -> None:
    """The table leaves no method of the connector out; what has no arguments cannot go wrong."""
    assert {case.method for case in CASES} == set(METHODS)
    without_arguments = {"createFavoritesChat", "getFileUploadLimits"}
    assert {case.method for case in CASES if not case.is_good} == set(METHODS) - without_arguments
    # The bytes of `uploadFile` are sent by `sendFile`, so its good cases are there.
    assert {case.method for case in CASES if case.is_good} == set(METHODS) - {"uploadFile"}


def test_every_difference_is_about_a_case() -> None:
    """No reason is left over from a case that is gone."""
    assert set(DIFFERENCES) <= {case[:2] for case in CASES}


def test_cases_have_names_of_their_own() -> None:
    """No case hides another one of the same method."""
    assert len({case[:2] for case in CASES}) == len(CASES)


def test_published_table_is_up_to_date(ours: Outcomes, theirs: Outcomes) -> None:
    """docs/outcomes.md is what was measured; `python -m tests.outcomes.page` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == rendered(theirs, ours)
