"""How fast things are, as ratios (`make bench`).

Ends with 1 if a check, of the right answer or of the slowest known wrong one, takes longer than its limit.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from cnncourse.checking import LocalCandidate, exercise_ids, judge, load
from cnncourse.layers.conv import conv2d

CHECK_LIMIT = 0.5  # seconds: a check that answers at once is one that students run often


def seconds(function: Callable[[], object], repeats: int = 5) -> float:
    """Return the shortest time of one call: what the rest of the computer did at the time is left out."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


class Trusted(LocalCandidate):
    """An answer that may use the library, as the solutions and the known wrong answers do."""

    def use_of(self, forbidden: Sequence[str]) -> None:
        """Find nothing."""


def checks() -> bool:
    """Time the check of each right answer and of the slowest wrong one; return whether all keep the limit."""
    slowest = 0.0
    for exercise_id in exercise_ids():
        exercise = load(exercise_id)
        answers = [exercise.solution, *(m.answer for m in exercise.misconceptions)]
        times = [seconds(lambda e=exercise, a=a: judge(e, Trusted(a)), 3) / CHECK_LIMIT for a in answers]
        print(f"{exercise_id:<32}right {times[0]:5.2f}, wrong up to {max(times[1:]):5.2f} of {CHECK_LIMIT} s")
        slowest = max(slowest, *times)
    return slowest <= 1


def layers() -> None:
    """Time the library's convolution against the four loops that a student writes."""
    rng = np.random.default_rng(0)
    x, weight, bias = rng.normal(size=(2, 3, 24, 32)), rng.normal(size=(4, 3, 3, 3)), rng.normal(size=4)
    loops = load("ch02_conv2d.conv2d").solution
    ratio = seconds(lambda: loops(x, weight, bias, 1, 1)) / seconds(lambda: conv2d(x, weight, bias, 1, 1))
    print(f"{'conv2d':<32}{ratio:8.0f} times as fast by im2col as by loops")


def imports() -> None:
    """Time `import cnncourse` against `import numpy`, each in a fresh interpreter."""

    def fresh(module: str) -> float:
        return seconds(lambda: subprocess.run([sys.executable, "-c", f"import {module}"], check=True))

    print(f"{'import cnncourse':<32}{fresh('cnncourse') / fresh('numpy'):8.2f} times as long as import numpy")


if __name__ == "__main__":
    in_time = checks()
    layers()
    imports()
    sys.exit(0 if in_time else 1)
