"""The commands of `hitl`, one module for each group of verbs."""
