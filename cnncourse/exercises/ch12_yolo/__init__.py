"""Chapter 12, YOLO: targets for cells, their loss, anchors, boxes from numbers, a network that learns
them."""

EXERCISES = (
    "yolo_encode",
    "yolo_loss",
    "kmeans_anchors",
    "yolo_decode",
    "yolo_filter_boxes",
    "train_yolo",
)
