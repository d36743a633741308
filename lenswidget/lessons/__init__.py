"""Pages of executed notebooks."""
