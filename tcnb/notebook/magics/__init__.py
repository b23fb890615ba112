"""The magics: their grammar, their arguments, and what each of them does."""
