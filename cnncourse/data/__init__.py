"""Data that needs no download: digits and photos that ship with scikit-learn."""
