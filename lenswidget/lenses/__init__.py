"""Lenses: each moves a residual row towards the output, and readout does the rest. One file each."""
