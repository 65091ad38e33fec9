"""How fast a class is graded, as ratios in one run (part of `make bench`).

    python tools/bench_grading.py            stock nbgrader grades a few of the 24 submissions of a lab
    python tools/bench_grading.py --full     stock nbgrader grades all of them

The same submissions on the same computer, by `cnncourse grade` with one worker for each core and by
``nbgrader autograde`` with nbgrader's own preprocessors. Students' code is also run alone, by one thread, to
know what it costs without any grading. Ends with 1 if a target is missed.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from bench_labs import NUMPY_LAB, ROOT, STUDENTS, TORCH_LAB, BenchLab, build, labs
from cpu_meter import Run, run
from nbgrader.api import Gradebook

from cnncourse.running.threads import ONE_THREAD

TIMES_STOCK = 8.0  # submissions a minute, of the lab in NumPy
OF_THE_CORES = 0.8  # where training dominates
OVERHEAD = 0.5  # core-seconds a submission, beyond the students' own code
CORES = len(os.sched_getaffinity(0))
PARTS = ("read", "imports", "kernel", "student's code", "judge", "gradebook")
ALL, PAIR = len(STUDENTS), 2
BUSY = 0.1  # cores used by other programs, from which on it is said


@dataclass(frozen=True)
class Times:
    """What all submissions of a class take, in seconds and core-seconds."""

    wall: float
    cpu: float


class Bench:
    """One lab and its class, in two folders: as this course has it, and as nbgrader alone has it."""

    def __init__(self, lab: BenchLab, folder: Path, stock: str) -> None:
        self.lab, self.folder, self.for_stock = lab, folder / lab.name, stock
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environment = {"PATH": path, "PYTHONPATH": str(ROOT), "JUPYTER_CONFIG_DIR": str(folder)}
        for name in ("own", "stock"):
            build(lab, self.folder / name, stock=name == "stock")

    def _program(self, folder: Path, *arguments: str, **environment: str) -> Run:
        program = str(ROOT / "tools" / "bench_run.py")
        return run(folder, program, *arguments, **self.environment, **environment)

    def own(self, students: str = STUDENTS) -> Run:
        """Grade submissions as this course does, from the beginning."""
        fresh = Path(tempfile.mkdtemp(dir=self.folder)) / "class"
        shutil.copytree(self.folder / "own", fresh)
        found = self._program(fresh, "grade", self.lab.name, f"[{students}]")
        if found.told["points"] != [1.0] * len(students):
            raise SystemExit(f"{self.lab.name}: right answers did not get all points:\n{found.printed}")
        return found

    def alone(self, processes: int = 1) -> Times:
        """Run students' code without any grading, by one thread; in several processes at once if so wanted.

        Who handed in the same stands for the others.
        """
        several = STUDENTS[: len(self.lab.answers)]
        with ThreadPoolExecutor(processes) as threads:
            each = [
                threads.submit(
                    self._program, self.folder / "own", "alone", self.lab.name, several, **ONE_THREAD
                )
                for _ in range(processes)
            ]
        walls, cpus = zip(*(pair for one in each for pair in one.result().told.values()), strict=True)
        return Times(ALL * mean(walls), ALL * mean(cpus))

    def stock(self) -> Times:
        """Have nbgrader grade a few, and return what all would take it; starting counts once."""
        course, profile = self.folder / "stock", self.folder / "ipython" / "profile_default" / "startup"
        profile.mkdir(parents=True, exist_ok=True)
        register = f"import cnncourse.exercises as e\ne.__path__.append({str(labs.FOLDER)!r})\n"
        (profile / "judged.py").write_text(register, encoding="utf-8")
        environment = self.environment | {"IPYTHONDIR": str(self.folder / "ipython")}
        names = f"--student=[{self.for_stock}]"
        found = run(course, "-m", "nbgrader", "autograde", self.lab.name, names, **environment)
        self._look_at_scores(course)
        start = next(moment for moment in found.lines if "Creating/updating student" in moment.text)
        times = ALL / len(self.for_stock)
        wall = start.wall + times * (found.wall - start.wall)
        return Times(wall, start.cpu + times * (found.cpu - start.cpu))

    def _look_at_scores(self, course: Path) -> None:
        with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
            for submitted in gradebook.assignment_submissions(self.lab.name):
                grades = [grade for book in submitted.notebooks for grade in book.grades]
                lost = [g.name for g in grades if g.auto_score != g.max_score and g.name != "open-question"]
                if lost:
                    raise SystemExit(f"{self.lab.name}: stock nbgrader takes points from {lost}")


class Comparison:
    """One lab graded in both ways, taking turns."""

    def __init__(self, bench: Bench, times: int) -> None:
        before = bench.alone()
        self.pair = bench.own(STUDENTS[:PAIR])
        self.runs = [bench.own()]
        self.stock = bench.stock()
        self.runs += [bench.own() for _ in range(times - 1)]
        self.crowd = bench.alone(CORES)
        after = bench.alone()  # twice, because a computer that is shared is not always as fast
        self.alone = Times((before.wall + after.wall) / 2, (before.cpu + after.cpu) / 2)
        self.own = Times(mean(found.wall for found in self.runs), mean(found.cpu for found in self.runs))
        self._print(bench)

    def _print(self, bench: Bench) -> None:
        columns = {"cnncourse": self.own, "stock": self.stock, "code alone": self.alone}
        print(f"{bench.lab.name}: {ALL} right submissions, {CORES} cores, {CORES} workers")
        print(f"  stock nbgrader graded {len(bench.for_stock)} of them; what all would take it is computed")
        print(f"  {'':<36}" + "".join(f"{name:>14}" for name in columns))
        rates = "".join(f"{60 * ALL / times.wall:14.1f}" for times in columns.values())
        print(f"  {'submissions a minute':<36}{rates}")
        cores = "".join(f"{times.cpu / ALL:14.2f}" for times in columns.values())
        print(f"  {'core-seconds a submission':<36}{cores}")
        print(f"  seconds of a submission, in its worker: {split(self.runs)}")
        others = mean(found.others for found in self.runs)
        if others > BUSY:
            print(f"  beware: other programs used {others:.1f} of {CORES} cores meanwhile")

    def faster(self) -> bool:
        """Compare with stock nbgrader."""
        what = "times as many submissions a minute as stock nbgrader"
        return verdict(what, self.stock.wall / self.own.wall, least=TIMES_STOCK)

    def cores_used(self) -> bool:
        """Say how much of the cores is left to students' code."""
        most = CORES * self.alone.wall / self.crowd.wall
        what = f"one-thread seconds of students' code in a second (without any grading {most:.2f})"
        return verdict(what, self.alone.wall / self.own.wall, least=OF_THE_CORES * CORES)

    def overhead(self) -> bool:
        """Say what grading costs beyond the students' own code, once the workers have started."""
        each = (self.own.cpu - self.pair.cpu) / (ALL - PAIR)
        start = max(self.pair.cpu - PAIR * each, 0.0)
        print(f"  starting costs {start:.1f} core-seconds once: {start / ALL:.2f} for each of {ALL}")
        return verdict(
            "core-seconds a submission beyond students' code", each - self.crowd.cpu / ALL, most=OVERHEAD
        )


def split(runs: Sequence[Run]) -> str:
    """Say where the time of one submission went; imports, once for a worker, are shared out."""
    total = dict.fromkeys(PARTS, 0.0)
    for told in (found.told for found in runs):
        total["gradebook"] += told["gradebook"]
        for each in told["seconds"]:
            for name, seconds in each.items():
                total[name] += seconds
    return ", ".join(f"{name} {total[name] / (len(runs) * ALL):.3f}" for name in PARTS)


def verdict(what: str, reached: float, least: float | None = None, most: float | None = None) -> bool:
    """Print a number with its target; return whether it is met."""
    met = reached >= least if least is not None else most is not None and reached <= most
    target = f"at least {least:g}" if least is not None else f"at most {most:g}"
    print(f"  {'PASS' if met else 'SHORT':<6}{what}: {reached:.2f} ({target})")
    return met


def main() -> int:
    """Measure both labs; return 1 if a target is missed."""
    labs.register()
    full = "--full" in sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        found = Comparison(Bench(NUMPY_LAB, Path(name), STUDENTS if full else STUDENTS[:4]), times=2)
        met = [found.faster(), found.overhead()]
        found = Comparison(Bench(TORCH_LAB, Path(name), STUDENTS if full else STUDENTS[:2]), times=1)
        met += [found.cores_used(), found.overhead()]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
