"""Agents by the Model Context Protocol, with its official client."""
