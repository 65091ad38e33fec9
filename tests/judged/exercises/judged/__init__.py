"""Exercises of the ways in which no chapter asks yet: a torch module, and trainings."""

EXERCISES = ("block", "train", "fit")
