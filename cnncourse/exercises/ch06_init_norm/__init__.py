"""Chapter 6, how large weights start, and normalization: batch norm with its gradients, group norm."""

EXERCISES = (
    "fan",
    "xavier_std",
    "he_std",
    "batch_norm2d",
    "batch_norm2d_backward",
    "group_norm",
)
