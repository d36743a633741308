"""Pictures of Grids without a browser: PNG, SVG, PDF."""
