"""One thing has one colour everywhere: figures, explorers, cards and text (the Okabe-Ito palette)."""

COLORS = {
    "input": "#0072B2",
    "kernel": "#E69F00",
    "output": "#009E73",
    "gradient": "#D55E00",
    "prediction": "#CC79A7",
    "truth": "#000000",
    "window": "#56B4E9",
}

# Signed values: one diverging map centred on zero, ColorBrewer's red and blue, seen on white and on black.
NEGATIVE, POSITIVE = (214, 96, 77), (67, 147, 195)
