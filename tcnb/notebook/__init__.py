"""Where people meet it: extension, magics, completion, widgets; nothing here speaks to a server itself."""
