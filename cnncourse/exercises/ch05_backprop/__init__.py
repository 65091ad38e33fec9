"""Chapter 5, gradients through convolution and pooling, and a network that learns with them."""

EXERCISES = (
    "relu_backward",
    "conv2d_backward",
    "max_pool2d_backward",
    "avg_pool2d_backward",
    "train_lenet",
)
