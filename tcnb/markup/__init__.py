"""Markdown and HTML in messages: writing them, reading them, and splitting long texts."""
