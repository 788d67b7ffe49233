"""Tests of the model service: `python -m unittest` runs the pure ones, README.md says how to run the others."""
