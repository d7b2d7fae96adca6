"""The approval page: HTML for people, served by the page function."""
