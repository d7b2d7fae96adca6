"""The function for signed-in people."""
