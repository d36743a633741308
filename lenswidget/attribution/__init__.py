"""A logit as a sum of what the parts of a model wrote."""
