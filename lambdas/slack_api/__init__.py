"""The Slack function."""
