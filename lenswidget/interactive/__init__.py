"""Where the two halves meet: a live prompt, the curve of a fit, the command line."""
