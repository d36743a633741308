"""What a model would say if something in it were otherwise."""
