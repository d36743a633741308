"""What a fit does: text, residual rows, descent, progress."""
