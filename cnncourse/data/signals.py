"""Drawn signals: a run through streets as a GPS receiver sees it, and an ECG."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CORNERS = ((0, 0), (0, 90), (80, 90), (80, 40), (160, 40), (160, 130))  # metres east and north
SPEED = 3  # metres a second
WAVES = (  # of a heartbeat: height in mV, middle and width in seconds
    (0.12, 0.12, 0.025),  # P
    (-0.12, 0.215, 0.010),  # Q
    (1.0, 0.24, 0.012),  # R
    (-0.25, 0.27, 0.012),  # S
    (0.3, 0.45, 0.045),  # T
)
BEAT_SECONDS = 0.6


def gps_track(noise: float = 4.0, seed: int = 0) -> tuple[Array, Array]:
    """Return a run along straight streets, one position a second: as it was, and as it was measured.

    The errors are independent and normal. Those of a real receiver also drift, which no smoothing mends.

    Parameters
    ----------
    noise : float
        Standard deviation of the errors of each coordinate, in metres.

    Returns
    -------
    true, measured : ndarrays, shape (2, 131)
        Metres east and metres north of the start.

    Examples
    --------
    >>> true, measured = gps_track()
    >>> true[:, :2].tolist(), measured.shape
    ([[0.0, 0.0], [0.0, 3.0]], (2, 131))
    """
    corners = np.array(CORNERS, dtype=np.float64).T  # (2, corners)
    distances = np.append(
        0, np.cumsum(np.abs(np.diff(corners)).sum(axis=0))
    )  # streets are parallel to an axis
    run = np.arange(0, distances[-1] + 1, SPEED)
    true = np.stack([np.interp(run, distances, axis) for axis in corners])  # (2, seconds)
    return true, true + np.random.default_rng(seed).normal(0, noise, true.shape)


def heartbeat(rate: int = 125) -> Array:
    """Return one heartbeat as an ECG shows it, in millivolts: a sum of five bell curves.

    Parameters
    ----------
    rate : int
        Numbers a second.

    Returns
    -------
    ndarray, shape (0.6 * rate,)

    Examples
    --------
    >>> beat = heartbeat()
    >>> beat.shape, int(beat.argmax())
    ((75,), 30)
    """
    time = np.arange(round(BEAT_SECONDS * rate)) / rate
    beat: Array = np.sum([h * np.exp(-(((time - m) / w) ** 2) / 2) for h, m, w in WAVES], axis=0)
    return beat


def ecg(
    seconds: float = 8, rate: int = 125, noise: float = 0.2, knock: float = 0.0, seed: int = 0
) -> tuple[Array, NDArray[np.int64]]:
    """Return an ECG with irregular beats, a slow drift and noise, and where the beats start.

    Parameters
    ----------
    seconds : float
    rate : int
        Numbers a second.
    noise : float
        Standard deviation, in millivolts.
    knock : float
        Height in millivolts of one smooth bump in the middle, as if somebody had touched the electrode.

    Returns
    -------
    signal : ndarray, shape (seconds * rate,), in millivolts
    starts : ndarray of int, the first number of each beat

    Examples
    --------
    >>> signal, starts = ecg(noise=0.0)
    >>> signal.shape, len(starts)
    ((1000,), 9)
    """
    rng = np.random.default_rng(seed)
    beat, n = heartbeat(rate), round(seconds * rate)
    gaps = np.round(rate * rng.normal(0.8, 0.06, int(2 * seconds) + 2)).astype(np.int64)
    starts = round(0.2 * rate) + np.append(0, np.cumsum(gaps))
    starts = starts[starts + len(beat) <= n]
    time = np.arange(n) / rate
    signal = 0.2 * np.sin(2 * np.pi * time / 5)  # breathing moves the baseline
    for start in starts:
        signal[start : start + len(beat)] += beat
    signal += knock * np.exp(-(((time - 0.55 * seconds) / 0.12) ** 2) / 2)
    return signal + rng.normal(0, noise, n), starts
