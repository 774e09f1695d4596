"""The geometry of every world's proxy: what it costs to compute, and what it foretells."""
