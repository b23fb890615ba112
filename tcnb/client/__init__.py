"""Who says it: tokens, the connection to a server, the bot's methods, uploads and downloads."""
