"""The page function."""
