"""SQL over the live record and over archives, by DuckDB."""

from __future__ import annotations

from tcnb.analysis.sql.queries import TABLES, query

__all__ = ["TABLES", "query"]
