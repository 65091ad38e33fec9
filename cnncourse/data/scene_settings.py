"""How crowded, how covered and how textured synthetic scenes are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Setting:
    """The knobs of a scene. Shares of an image are of its shorter side; brightness goes from 0 to 1."""

    name: str
    objects: tuple[int, int]  # how many shapes, the least and the most
    radius: tuple[
        float, float
    ]  # of the circle around a shape, the least and the most, as a share of the image
    visible: float  # the least share of a shape that others leave uncovered
    contrast: float = (
        0.3  # the least difference of a shape from what is behind it, in one of the three colours
    )
    texture: float = 0.16  # how strong the pattern on a shape is
    ground: tuple[float, float] = (0.18, 0.10)  # how strong the coarse and the fine pattern of the ground are
    noise: float = 0.03  # standard deviation at each pixel

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if not 0 <= self.objects[0] <= self.objects[1] <= 255:
            raise ValueError(f"objects (={self.objects}) must be the least and the most, from 0 to 255")
        if not 0 < self.radius[0] <= self.radius[1] <= 0.5:
            raise ValueError(f"radius (={self.radius}) must be the least and the most, above 0 and up to 0.5")
        if not 0 <= self.visible <= 1:
            raise ValueError(f"visible (={self.visible}) must be from 0 to 1")


SPARSE = Setting("sparse", objects=(1, 2), radius=(0.12, 0.28), visible=1.0)
MEDIUM = Setting("medium", objects=(1, 4), radius=(0.08, 0.25), visible=0.5)
CROWDED = Setting("crowded", objects=(5, 10), radius=(0.08, 0.20), visible=0.25)
SETTINGS = {setting.name: setting for setting in (SPARSE, MEDIUM, CROWDED)}
