"""Measures what the README promises: `python -m bench`."""
