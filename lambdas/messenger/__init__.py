"""The messenger function."""
