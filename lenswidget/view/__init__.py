"""What a browser or a page shows of Grids. Imports no torch."""
