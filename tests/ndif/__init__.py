"""A server of NDIF's on this machine, as far as nnsight's client sees one, and a bare process that does its jobs."""
