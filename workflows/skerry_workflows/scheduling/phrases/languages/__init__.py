"""One file for each language: its words about time, as `language.Language` says."""
