"""Sizes and costs of layers, from their shapes alone (standard library only).

Sizes are in pixels. `kernel_size`, `stride`, `padding` and `dilation` are an int or a pair (rows, columns).
A MAC is one multiplication with its addition.
"""

from cnncourse.shapes.costs import (
    FLOAT32_BYTES,
    ConvCost,
    check_groups,
    conv2d_connections,
    conv2d_cost,
    conv2d_macs,
    conv2d_params,
    conv3d_macs,
    conv3d_params,
    conv_transpose2d_macs,
    dense_params,
    depthwise_separable_macs,
    depthwise_separable_params,
    memory,
    tiled_conv2d_params,
)
from cnncourse.shapes.fields import (
    ReceptiveField,
    Sliding,
    Step,
    receptive_field,
)
from cnncourse.shapes.sizes import (
    Pair,
    Triple,
    conv2d_output_size,
    conv3d_output_size,
    conv_output_size,
    conv_transpose2d_output_size,
    conv_transpose_output_size,
    pair,
    same_padding,
    triple,
)

__all__ = [
    "FLOAT32_BYTES",
    "ConvCost",
    "Pair",
    "ReceptiveField",
    "Sliding",
    "Step",
    "Triple",
    "check_groups",
    "conv2d_connections",
    "conv2d_cost",
    "conv2d_macs",
    "conv2d_output_size",
    "conv2d_params",
    "conv3d_macs",
    "conv3d_output_size",
    "conv3d_params",
    "conv_output_size",
    "conv_transpose2d_macs",
    "conv_transpose2d_output_size",
    "conv_transpose_output_size",
    "dense_params",
    "depthwise_separable_macs",
    "depthwise_separable_params",
    "memory",
    "pair",
    "receptive_field",
    "same_padding",
    "tiled_conv2d_params",
    "triple",
]
