"""Finding credentials as a blocking connect does: looked up first, and asked for where something is missing."""

from __future__ import annotations

from typing import Any

from tcnb.client.credentials import Credentials, Prompt, Question, ask, look_up


def find_credentials(*given: str | None, prompt: Prompt | None = ask, **options: Any) -> Credentials:
    """Look credentials up, and put the question that is left; `prompt` None asks nobody."""
    found = look_up(*given, **options)
    return found.put(prompt) if isinstance(found, Question) else found
