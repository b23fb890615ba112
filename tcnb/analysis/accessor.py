"""`df.tc`: the analyses as methods of a pandas frame; registering costs nothing, they are imported when first used."""

from __future__ import annotations

from types import MethodType
from typing import Any

import pandas as pd

from tcnb import analysis


class Analyses:
    """The analyses of a frame of events: `tc.df`, one read back from a file, or several concatenated; or of messages.

    ```python
    tc.df.tc.heatmap(tz="Europe/Moscow")            # a frame
    tc.df.tc.heatmap(tz="Europe/Moscow").plot()     # its figure
    tc.send_photo(chat, tc.df.tc.talkers(plot=True))
    ```

    Args:
        frame: the frame.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def __getattr__(self, name: str) -> Any:
        if name not in analysis.__all__:
            raise AttributeError(f"df.tc has no analysis {name!r}; there are {', '.join(analysis.__all__)}")
        return MethodType(getattr(analysis, name), self._frame)

    def __dir__(self) -> list[str]:
        return list(analysis.__all__)

    def __repr__(self) -> str:
        return f"<the analyses of a frame: {', '.join(analysis.__all__)}>"


def register() -> None:
    """Give every pandas DataFrame the accessor `tc`; a second time changes nothing."""
    if getattr(pd.DataFrame, "tc", None) is not Analyses:
        pd.api.extensions.register_dataframe_accessor("tc")(Analyses)
