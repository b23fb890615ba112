"""Requests to the server: which are repeated, which wait, and how a lost answer is found out."""
