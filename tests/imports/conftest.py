"""What the tests of all readers share."""

from __future__ import annotations

import warnings

import pytest


@pytest.fixture(autouse=True)
def _every_warning_is_an_error():
    """Reading a sound export warns of nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield
