"""`hitl`: request, decide and follow approvals from a terminal, and the local cloud."""
