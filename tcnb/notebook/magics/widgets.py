"""The magics for widgets to write in: `%tc_compose` and `%tc_panel`; the feed alone has its magic in `magics`."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import line_magic, magics_class, needs_local_scope, no_var_expand

from tcnb.notebook.connections import connections
from tcnb.notebook.magics import verbs
from tcnb.notebook.magics.arguments import Arguments
from tcnb.notebook.magics.base import VerbMagics, one_line_errors


@magics_class
class WidgetMagics(VerbMagics):
    """The verbs that open something to write in, as magics."""

    @line_magic
    @needs_local_scope
    @no_var_expand
    def tc_compose(self, line: str, local_ns: dict[str, Any] | None = None) -> Any:
        """Open a composer: write with a preview, drop files of any size, choose stickers, reply and edit.

        Usage: %tc_compose [chat] [--stickers FOLDER] [--as NAME]

            %tc_compose                              the chat is chosen in the composer
            %tc_compose "Release crew" --stickers ~/stickers
            composer = %tc_compose alice
            composer.reply_to(message)

        Returns the composer: composer.chat, composer.sendings, composer.reply_to(…), composer.edit(…).
        """
        given = self._given(verbs.COMPOSE, line, local_ns)
        session = connections.get(given.connection)
        with one_line_errors(session):
            return session.composer(*given.chats, **_stickers(given))

    @line_magic
    @needs_local_scope
    @no_var_expand
    def tc_panel(self, line: str, local_ns: dict[str, Any] | None = None) -> Any:
        """Open the panel: chats with what is unread at the left, the feed in the middle, the composer below.

        Usage: %tc_panel [chat] [--stickers FOLDER] [--as NAME]

            %tc_panel
            %tc_panel "Release crew"

        Returns the panel: panel.chat, panel.feed, panel.composer.
        """
        given = self._given(verbs.PANEL, line, local_ns)
        session = connections.get(given.connection)
        with one_line_errors(session):
            return session.panel(*given.chats, **_stickers(given))


def _stickers(given: Arguments) -> dict[str, str]:
    return {"stickers": str(given.value("stickers"))} if given.has("stickers") else {}
