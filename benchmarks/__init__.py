"""Everything that the figures of the documentation were measured with; `python -m benchmarks` lists it."""
