"""Middlewares under a short name, for `from tcnb.middleware import …`; they live in `tcnb.routing`."""

from __future__ import annotations

from tcnb.routing.middleware import BaseMiddleware, SkipSelfMessages

__all__ = ["BaseMiddleware", "SkipSelfMessages"]
