"""What scripts for the official client import from its package `utils`, and nothing else; it lives in other rooms."""

from __future__ import annotations

from tcnb.client.activity import ChatActivitySender
from tcnb.formatting import safe_split_text

__all__ = ["ChatActivitySender", "safe_split_text"]
