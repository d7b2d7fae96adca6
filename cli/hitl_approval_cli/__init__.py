"""`hitl`: ask, decide and look on from a terminal, and the local cloud."""
