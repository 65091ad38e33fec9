"""Chapter 2, two-dimensional convolution."""

EXERCISES = ("pad2d", "conv2d", "conv2d_cost", "nhwc_to_nchw", "im2col")
