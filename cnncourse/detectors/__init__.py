"""Detectors small enough to read and to train, in the order in which they were invented."""
