"""A local TrueConf server to practise against; it shares only types and wire with the client."""

from tcnb.practice.entities import Refusal, Settings
from tcnb.practice.options import Options
from tcnb.practice.process import PracticeError, PracticeProcess, start_process
from tcnb.practice.server import PracticeServer
from tcnb.practice.thread import PracticeThread

__all__ = [
    "Options",
    "PracticeError",
    "PracticeProcess",
    "PracticeServer",
    "PracticeThread",
    "Refusal",
    "Settings",
    "start_process",
]
