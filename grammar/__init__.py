"""Text to tree: all that knows the syntax of Experimentfiles and queries, and nothing that knows their meaning."""
