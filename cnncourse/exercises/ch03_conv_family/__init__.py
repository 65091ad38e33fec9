"""Chapter 3, the family of convolutions."""

EXERCISES = (
    "conv2d_general",
    "depthwise_separable_cost",
    "channel_shuffle",
    "conv_transpose2d",
    "conv3d",
)
