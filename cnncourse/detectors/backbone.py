"""The part that all detectors here share: a small network that turns an image into feature maps."""

from __future__ import annotations

from torch import Tensor, nn


def conv_block(channels: int, kernels: int, kernel_size: int = 3, stride: int = 1) -> nn.Sequential:
    """Return convolution, batch norm and ReLU; with stride 1 the map keeps its size."""
    convolution = nn.Conv2d(channels, kernels, kernel_size, stride, kernel_size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(kernels), nn.ReLU(inplace=True))


class Backbone(nn.Module):
    """Seven convolutions; returns maps with one unit for every 4x4 and every 8x8 pixels.

    Parameters
    ----------
    width : channels of the first layer; the maps have 4 and 8 times as many
    """

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.fine = nn.Sequential(
            conv_block(3, width, stride=2),
            conv_block(width, 2 * width),
            nn.MaxPool2d(2),
            conv_block(2 * width, 4 * width),
            conv_block(4 * width, 4 * width),
        )
        self.coarse = nn.Sequential(
            nn.MaxPool2d(2), conv_block(4 * width, 8 * width), conv_block(8 * width, 8 * width)
        )

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return maps (N, 4 * width, H / 4, W / 4) and (N, 8 * width, H / 8, W / 8) of images from 0 to 1."""
        fine = self.fine((images - 0.5) * 4)  # mean near 0, spread near 1
        return fine, self.coarse(fine)
