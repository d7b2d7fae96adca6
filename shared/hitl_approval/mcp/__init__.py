"""The Model Context Protocol: agents ask people, see how it stands, and withdraw what they asked.

No method here decides, and nothing that a client sends counts as a vote.
"""
