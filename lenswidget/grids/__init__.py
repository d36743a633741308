"""Plain data: Grids, and what is computed from Grids alone. May import numpy; no torch, no view."""
