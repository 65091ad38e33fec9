"""Chapter 11, detection: boxes, what a detector learns, how its windows slide, and how it is measured."""

EXERCISES = (
    "box_iou",
    "localization_loss",
    "sliding_window_as_conv",
    "nms",
    "match_detections",
    "average_precision",
)
