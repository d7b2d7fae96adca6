"""The approval function."""
