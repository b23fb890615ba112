"""The panel: chats, feed and composer in one widget."""
