"""The command `tcnb` and its subcommands."""
