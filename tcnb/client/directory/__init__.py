"""Chats and people by id, login, title and display name."""
