"""How long the layers take against torch on the same processor (part of `make bench`).

Both run in turn, so that what else the computer does falls on both; a ratio is our median over that of torch.
Ends with 1 if one is over its limit. With OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1 in the
environment it compares processor time on one thread, which other programs disturb less.
"""

import argparse
import os
import sys
import time
from statistics import median

import torch

from tools.layer_rows import KINDS, Call, Drawn

LIMIT = 3.0
CONV_LIMITS = {"float32": 1.5, "float64": 1.0}  # of the first row, on which the others rest
ROUNDS, CALLS = 4, 3
REST = 0.02  # seconds after which idle threads of the other library leave the processor
SECONDS = 2.0  # after which no new round begins

ONE_THREAD = os.environ.get("OMP_NUM_THREADS") == "1"
clock = time.process_time if ONE_THREAD else time.perf_counter


def ratio(ours: Call, theirs: Call) -> float:
    """Return the median time of one call over that of another, in rounds that alternate."""
    times: tuple[list[float], list[float]] = ([], [])
    begin = time.perf_counter()
    for number in range(ROUNDS):
        if number > 1 and time.perf_counter() - begin > SECONDS:
            break
        for call, found in zip((ours, theirs), times, strict=True):
            time.sleep(REST)
            call()  # wakes its threads
            for _ in range(CALLS):
                start = clock()
                call()
                found.append(clock() - start)
    return median(times[0]) / median(times[1])


def table(only: str) -> bool:
    """Print one line for each layer; return whether all keep their limits."""
    threads = f"{torch.get_num_threads()} threads" if torch.get_num_threads() > 1 else "one thread"
    print(f"{'ours / torch, ' + threads:<36}{'float32':>9}{'float64':>9}")
    short = 0
    for kind in KINDS:
        for narrow, wide in zip(*(kind(Drawn(dtype)) for dtype in CONV_LIMITS), strict=True):
            name = narrow[0]
            if only not in name:
                continue
            limits = tuple(CONV_LIMITS.values()) if name == "conv2d 3x3" else (LIMIT, LIMIT)
            ratios = ratio(*narrow[1:]), ratio(*wide[1:])
            late = [f"SHORT of {limit:g}" for got, limit in zip(ratios, limits, strict=True) if got > limit]
            short += bool(late)
            print(f"{name:<36}{ratios[0]:9.2f}{ratios[1]:9.2f}  {late[0] if late else 'PASS'}", flush=True)
    print(f"{short} over their limit" if short else "all keep their limits")
    return not short


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="layers with this in their names")
    sys.exit(0 if table(parser.parse_args().only) else 1)
