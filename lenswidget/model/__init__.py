"""What may be asked of a model, and what one run of it leaves."""
