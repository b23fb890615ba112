"""One connected bot: the names that others use; what they do stands in the modules beside."""

from tcnb.session.backfill.progress import CatchUp
from tcnb.session.connecting import aconnect, connect
from tcnb.session.session import Session

__all__ = ["CatchUp", "Session", "aconnect", "connect"]
