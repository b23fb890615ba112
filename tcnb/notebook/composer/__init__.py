"""The composer: a widget to write and send messages from."""
