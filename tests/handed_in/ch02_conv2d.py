"""Lab 2: four students of the sample class."""

import sample_answers as wrote

from handed_in import Submission

RIGHT = {name: text for name, text in wrote.RIGHT.items() if name != "open-question"}
POINTS = {"pad2d": 1.0, "conv2d": 4.0, "conv2d_cost": 2.0, "nhwc_to_nchw": 1.0, "im2col": 2.0}

SUBMISSIONS = (
    Submission("right", RIGHT, POINTS),
    Submission("right in another way", RIGHT | {"conv2d": wrote.EINSUM}, POINTS),
    Submission("half", {"pad2d": wrote.PAD2D, "conv2d": wrote.LOOPS}, {"pad2d": 1.0, "conv2d": 4.0}),
    Submission(
        "wrong by a misconception",
        RIGHT | {"conv2d": wrote.FLIPPED, "pad2d": wrote.NEGATIVE_SLICE},
        {"conv2d_cost": 2.0, "nhwc_to_nchw": 1.0, "pad2d": 0.5},
        {"pad2d": "empty_slice"},
    ),
)
