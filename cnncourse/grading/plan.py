"""What to do with each cell of a notebook: run it, judge it, or leave it, and why."""

from __future__ import annotations

import ast
import re
import symtable
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from IPython.core.inputtransformer2 import TransformerManager
from nbformat import NotebookNode

from cnncourse.grading.nodes import is_grade, is_solution, same_text
from cnncourse.grading.notes import grade_id

MAX_SOURCE = 100_000  # characters of a cell
MAX_MAGICS = 100  # of a cell; IPython takes quadratic time for them
MAGIC = re.compile(r"^[^\S\n]*[%!?,;/]|\?[^\S\n]*$|=[^\S\n]*[%!](?!=)", re.MULTILINE)
# Magics around code that is read as if they were not there.
TIMING = re.compile(r"\A(\s*)%%(?:time|timeit|capture)\b.*$|^([^\S\n]*)%(?:time|timeit)\b", re.MULTILINE)
# Names with which a cell can reach variables that its source does not name.
DYNAMIC = frozenset({"globals", "locals", "vars", "exec", "eval", "get_ipython", "__import__", "dir"})


@dataclass(frozen=True)
class Check:
    """A check cell of the released lab: which functions it hands to which exercise."""

    place: int
    grade_id: str
    points: float
    exercise: str
    names: tuple[str, ...]


def readable(source: str) -> bool:
    """Return whether a program can read a cell: one that is too long or too deep may run all the same."""
    return not isinstance(_read_cell(source), _Unreadable)


def parse(source: str) -> ast.Module | None:
    """Return the syntax tree of a cell, magics turned into calls; None where there is none to be had."""
    found = _read_cell(source)
    return found if isinstance(found, ast.Module) else None


class _Unreadable:
    """Stands for a cell that cannot be read."""


@lru_cache(maxsize=1000)
def _read_cell(source: str) -> ast.Module | _Unreadable | None:
    if len(source) > MAX_SOURCE or len(MAGIC.findall(source)) > MAX_MAGICS:
        return _Unreadable()
    manager = TransformerManager()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as one of an invalid escape in the student's text
            plain = TIMING.sub(lambda found: found[1] or found[2] or "", source)
            tree = ast.parse(manager.transform_cell(plain))
            symtable.symtable(ast.unparse(tree), "cell", "exec")  # finds what only the compiler would find
    except (SyntaxError, ValueError):
        return None
    except (RecursionError, MemoryError, RuntimeError):
        return _Unreadable()
    return tree


def checks(cells: Sequence[NotebookNode]) -> list[Check]:
    """Return the check cells; one that is not ``check("<exercise>", function)`` has no exercise."""
    found = []
    for place, cell in enumerate(cells):
        if cell.cell_type == "code" and is_grade(cell) and not is_solution(cell):
            exercise, names = _check_call(cell.source)
            points = float(cell.metadata["nbgrader"]["points"])
            found.append(Check(place, grade_id(cell) or "", points, exercise, names))
    return found


def _check_call(source: str) -> tuple[str, tuple[str, ...]]:
    match parse(source):
        case ast.Module(body=[ast.Expr(value=ast.Call(func=ast.Name(id="check"), args=[first, *rest]))]):
            names = tuple(name.id for name in rest if isinstance(name, ast.Name))
            if isinstance(first, ast.Constant) and 0 < len(names) == len(rest):
                return str(first.value), names
    return "", ()


def students_own(cell: NotebookNode, released: dict[str, NotebookNode]) -> bool:
    """Return whether a student wrote in this cell: an answer, an added cell, or one that was changed."""
    origin = released.get(cell.get("id", ""))
    return origin is None or bool(is_solution(cell)) or not same_text(cell.source, origin.source)


def to_run(
    cells: Sequence[NotebookNode], released: dict[str, NotebookNode], run_all: bool = False
) -> set[int]:
    """Return the places of the cells to run before the answers are judged.

    All that the student wrote runs. Of the lab's own cells those run that define a name that a cell to be run
    reads; the others show pictures and tables, on which no grade depends. Where the student's code can reach
    names that it does not spell out, everything runs.
    """
    code = {i: cell for i, cell in enumerate(cells) if cell.cell_type == "code" and cell.source.strip()}
    code = {i: cell for i, cell in code.items() if not is_grade(cell) or is_solution(cell)}
    chosen = {i for i, cell in code.items() if students_own(cell, released)}
    trees = {i: parse(cell.source) for i, cell in code.items()}
    read = set().union(*(_read(trees[i]) for i in chosen)) if chosen else set()
    if run_all or read & DYNAMIC or not all(readable(code[i].source) for i in chosen):
        return set(code)
    growing = True
    while growing:
        more = {i for i in code.keys() - chosen if _defined(trees[i]) & read or _sets_something(trees[i])}
        chosen |= more
        read |= set().union(*(_read(trees[i]) for i in more)) if more else set()
        growing = bool(more)
    return chosen


def _read(tree: ast.Module | None) -> set[str]:
    """Return the names that a cell and the functions in it take from outside of themselves."""
    return set(_global_names(symtable.symtable(ast.unparse(tree), "cell", "exec"))) if tree else set()


def _global_names(scope: symtable.SymbolTable) -> Iterator[str]:
    outermost = scope.get_type() == "module"
    for symbol in scope.get_symbols():
        if symbol.is_referenced() and (outermost or symbol.is_global()):
            yield symbol.get_name()
    for inner in scope.get_children():
        yield from _global_names(inner)


def _defined(tree: ast.Module | None) -> set[str]:
    """Return the names that running a cell binds, without those inside its functions."""
    return set(_bound(tree.body)) if tree else set()


def _bound(statements: Iterable[ast.stmt]) -> Iterable[str]:
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, ast.Import | ast.ImportFrom):
                yield from ((alias.asname or alias.name).split(".")[0] for alias in node.names)
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                yield node.name


def _sets_something(tree: ast.Module | None) -> bool:
    """Return whether a cell changes a setting at its top level: ``plt.rcParams[...] = ...``, ``seed(0)``."""
    for statement in tree.body if tree else []:
        match statement:
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]):
                return True
            case ast.Expr(
                value=ast.Call(func=ast.Attribute(attr="seed" | "manual_seed" | "set_printoptions"))
            ):
                return True
    return False
