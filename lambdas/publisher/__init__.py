"""The relay function."""
