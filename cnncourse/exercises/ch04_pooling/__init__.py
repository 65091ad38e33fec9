"""Chapter 4, pooling, shifts and receptive fields."""

EXERCISES = (
    "max_pool2d",
    "avg_pool2d",
    "shift_test",
    "global_avg_pool2d",
    "spatial_pyramid_pool",
    "receptive_field",
)
