"""What the library takes of time and memory, beside things of known cost: ``python -m benchmarks``."""
