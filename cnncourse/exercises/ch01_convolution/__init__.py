"""Chapter 1, convolution of signals."""

EXERCISES = ("conv_output_size", "cross_correlate1d", "convolve1d", "same_padding", "dense_vs_conv_cost")
