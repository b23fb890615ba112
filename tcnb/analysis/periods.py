"""When the periods of a result begin, and whether the record reaches over each of them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pandas as pd

from tcnb.analysis.events import Reach
from tcnb.analysis.zones import Frequency


def with_periods(counted: pd.DataFrame, length: Frequency, where: ZoneInfo, whole: Reach) -> pd.DataFrame:
    """Return counts with the columns `period` and `complete` instead of `start`.

    Args:
        counted: what was counted, by `start` as `Frequency.start` gives it.
        length: the length of the periods.
        where: the zone whose periods these are.
        whole: how far the record reaches. A period in which it begins or ends is not complete. Where the past was
            read, too, nobody knows whether anything is missing at the beginning.
    """
    bounds = {start: length.bounds(start, where) for start in counted["start"].unique().tolist()}
    complete = {start: not (_begins_in(whole, *ends) or _ends_in(whole, *ends)) for start, ends in bounds.items()}
    starts = counted["start"]
    begins = starts.map({start: begin for start, (begin, _) in bounds.items()}).astype("Int64")
    return counted.assign(period=begins, complete=starts.map(complete).astype("boolean")).drop(columns="start")


def _begins_in(whole: Reach, begin: int, end: int) -> bool:
    return begin <= whole.first < end and begin < whole.began < end


def _ends_in(whole: Reach, begin: int, end: int) -> bool:
    return begin <= whole.ended < end
