"""Find library calls that would be a whole answer in a notebook's source, without running any of it."""

from __future__ import annotations

import ast
import contextlib
import importlib
import pkgutil
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from cnncourse.checking.forbidden import Use, forbidden_name, imports_in, local_names, resolve
from cnncourse.grading.plan import parse, readable
from cnncourse.grading.verdicts import Flag

# Ways to reach a function without naming it. An honest answer needs none of them.
EVASIONS = frozenset(
    {
        "eval",
        "exec",
        "compile",
        "__import__",
        "import_module",
        "__globals__",
        "__builtins__",
        "__subclasses__",
    }
    | {"_getframe", "currentframe", "f_back", "getsource", "getsourcelines", "get_referrers", "get_objects"}
    | {
        "settrace",
        "setprofile",
        "fork",
        "_exit",
        "set_trace",
        "__code__",
        "__closure__",
        "__wrapped__",
        "__self__",
    }
    | {"globals", "locals", "vars", "setattr", "__dict__", "__getattribute__", "__getattr__", "__reduce__"}
    | {"user_ns", "user_global_ns", "user_module", "run_path", "run_module", "run_cell", "ex", "ev", "system"}
    | {
        "resolve_name",
        "attrgetter",
        "methodcaller",
        "find_spec",
        "spec_from_file_location",
        "module_from_spec",
    }
    | {
        "__loader__",
        "__spec__",
        "locate",
        "exec_module",
        "load_module",
        "safe_execfile",
        "register_cell_magic",
        "register_line_magic",
        "popen",
    }
)
MODULES = frozenset(
    {"ctypes", "gc", "inspect", "importlib", "marshal", "subprocess", "socket", "mmap", "dis"}
)
MODULES |= {
    "pickle",
    "runpy",
    "pkgutil",
    "code",
    "codeop",
    "imp",
    "multiprocessing",
    "zipimport",
    "builtins",
    "pydoc",
}
PLAIN_MAGICS = frozenset(
    {"matplotlib", "config", "precision", "who", "whos", "pwd", "autoreload", "load_ext"}
)
COMPOUND = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)


@dataclass(frozen=True)
class Definition:
    """Where a name of the notebook's own gets its meaning."""

    cell: int
    node: ast.AST


class NotebookSource:
    """The code of a notebook, cell by cell.

    Parameters
    ----------
    sources : the source of every cell, empty for those that are no code, in order
    """

    def __init__(self, sources: Sequence[str]) -> None:
        self.lines = [source.splitlines() for source in sources]
        trees = [parse(source) for source in sources]
        self.trees = [tree or ast.Module([], []) for tree in trees]

    def use_of(self, names: Sequence[str], before: int, forbidden: Sequence[str]) -> tuple[Use, int] | None:
        """Return the first forbidden library function that these functions reach, and the cell it stands in.

        Parameters
        ----------
        names : the functions that are the answer
        before : only cells above this one count; of several definitions of a name the last one does
        forbidden : full dotted names; ``"module.*"`` for all of a module
        """
        scope = _Scope(self.trees[:before], forbidden)
        queue, seen = list(names), set(names)
        while queue:
            for definition in scope.meanings(queue.pop()):
                for full_name, line in scope.read_by(definition):
                    found = _resolve(full_name, forbidden)
                    objects = {id(known): name for name in forbidden if (known := resolve(name)) is not None}
                    own = full_name.startswith("cnncourse.") and not _answers().isdisjoint(
                        full_name.split(".")
                    )
                    if name := full_name if own else forbidden_name(full_name, found, forbidden, objects):
                        return Use(name, line, self._line(definition.cell, line)), definition.cell
                    if full_name not in seen:
                        seen.add(full_name)
                        queue.append(full_name)
        return None

    def evasions(self, cells: Sequence[int], names: Sequence[str]) -> Iterator[Flag]:
        """Yield what these cells use that can hide a call from a reader of the source."""
        for place in cells:
            tree = self.trees[place]
            if not readable("\n".join(self.lines[place])):
                text = "is too long, or too deep, to be read by a program: read this cell"
                yield Flag("evasion", text, names[place])
            found = {what: node for node in ast.walk(tree) if (what := _evasion(node))}
            if hidden := next(_computed_getattr(tree), None):
                found["`getattr` with a computed name"] = hidden
            for what, node in found.items():
                line = getattr(node, "lineno", 0)
                text = f"uses {what}, with which calls can be hidden: read this cell"
                yield Flag("evasion", text, names[place], line, self._line(place, line))

    def _line(self, cell: int, line: int) -> str:
        lines = self.lines[cell]
        return lines[line - 1].strip() if 0 < line <= len(lines) else ""


class _Scope:
    """What the names of a notebook mean below some of its cells."""

    def __init__(self, trees: Sequence[ast.Module], forbidden: Sequence[str]) -> None:
        self.forbidden = forbidden
        self.imported: dict[str, str] = {}
        self.defined: dict[str, list[Definition]] = {}
        for place, tree in enumerate(trees):
            for statement in tree.body:
                self._bind(place, statement)

    def meanings(self, name: str) -> list[Definition]:
        """Return where a name gets its meaning."""
        return self.defined.get(name, [])

    def read_by(self, definition: Definition) -> Iterator[tuple[str, int]]:
        """Yield (full dotted name, line) of what a piece of code reads."""
        node = definition.node
        imported = self.imported | dict(imports_in(node))
        function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda)
        own = local_names(node) - dict(imports_in(node)).keys() if function else set()
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((full_name, node.lineno) for full_name in dict(imports_in(node)).values())
        yield from _references(node, imported, own)

    def _bind(self, place: int, statement: ast.stmt) -> None:
        if isinstance(statement, COMPOUND):
            for target, value in _headers(statement):
                self._assign_inside(place, target, value)
                self._assign_inside(place, value, value)
            for inner in _bodies(statement):
                self._bind(place, inner)
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            found = dict(imports_in(statement))
            if every := found.pop("*", ""):
                module = every.removesuffix(".*")
                _resolve(module, self.forbidden)
                _answers()  # imports this package's own
                held = resolve(module)
                names = vars(held) if type(held) is types.ModuleType else {}
                found |= {name: f"{module}.{name}" for name in names if not name.startswith("_")}
            self.imported |= found
            self.defined |= {name: [Definition(place, statement)] for name in found}
        elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self._define(statement.name, Definition(place, statement), anew=True)
            for name in _declared_global(statement):
                self._define(name, Definition(place, statement), anew=False)
        elif isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                self._assign(place, target, statement.value)
            self._assign_inside(place, statement.value, statement.value)
        else:
            self._assign_inside(place, statement, statement)

    def _assign(self, place: int, target: ast.expr, value: ast.expr) -> None:
        for node in ast.walk(target):
            if isinstance(node, ast.Name):
                self._define(node.id, Definition(place, value), anew=node is target)

    def _assign_inside(self, place: int, changed: ast.AST, value: ast.AST) -> None:
        """Take `value` for one more meaning of each name that `changed` binds, or calls a method of."""
        for node in ast.walk(changed):
            match node:
                case ast.Name(id=name, ctx=ast.Store()) | ast.MatchAs(name=str() as name):
                    self._define(name, Definition(place, value), anew=False)
                case ast.Call(func=ast.Attribute(value=ast.Name(id=name))) if name not in self.imported:
                    self._define(name, Definition(place, value), anew=False)

    def _define(self, name: str, definition: Definition, anew: bool) -> None:
        if anew:
            self.imported.pop(name, None)
            self.defined[name] = [definition]
        elif definition not in self.defined.setdefault(name, []):
            self.defined[name].append(definition)


def _headers(statement: ast.stmt) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Yield what a compound statement binds before its body, and to what."""
    match statement:
        case ast.For(target=target, iter=value) | ast.AsyncFor(target=target, iter=value):
            yield target, value
        case ast.With(items=items) | ast.AsyncWith(items=items):
            yield from ((item.optional_vars or item.context_expr, item.context_expr) for item in items)
        case ast.If(test=value) | ast.While(test=value):
            yield value, value
        case ast.Match(subject=value, cases=cases):
            yield from ((case.pattern, value) for case in cases)


def _bodies(statement: ast.stmt) -> Iterator[ast.stmt]:
    """Yield the statements inside a statement that run in the same scope."""
    for field in ("body", "orelse", "finalbody"):
        yield from getattr(statement, field, [])
    for part in (*getattr(statement, "handlers", []), *getattr(statement, "cases", [])):
        yield from part.body


def _declared_global(function: ast.AST) -> set[str]:
    return {name for node in ast.walk(function) if isinstance(node, ast.Global) for name in node.names}


def _resolve(full_name: str, forbidden: Sequence[str]) -> Any:
    """Return the object of a name; the modules of its library's forbidden functions are imported for that.

    Nothing else is imported, whatever module a student's code names.
    """
    root = full_name.split(".")[0]
    for name in forbidden:
        if name.split(".")[0] == root:
            _import_home(name)
    return resolve(full_name)


@cache
def _import_home(full_name: str) -> None:
    """Import the packages and modules above a name, as far as they are there."""
    parts = full_name.removesuffix(".*").split(".")
    with contextlib.suppress(ImportError):
        for length in range(1, len(parts) + 1):
            importlib.import_module(".".join(parts[:length]))


@lru_cache(maxsize=1)
def _answers() -> frozenset[str]:
    """Return the names of this package's modules of answers and of the functions in them."""
    layers = importlib.import_module("cnncourse.layers")
    names = [f"cnncourse.layers.{module.name}" for module in pkgutil.iter_modules(layers.__path__)]
    found = {"layers", "shapes", "FAST"}  # the last: what `cnncourse.given` hands to those who have their own
    for name in ("cnncourse.shapes", *names):
        module = importlib.import_module(name)
        found |= {name.split(".")[-1], *(n for n, f in vars(module).items() if type(f) is types.FunctionType)}
    return frozenset(found)


def _references(tree: ast.AST, imported: dict[str, str], own: set[str]) -> Iterator[tuple[str, int]]:
    """Yield (full dotted name, line) of what a piece of code reads, aliases and constant getattr followed."""
    for node in ast.walk(tree):
        name = _dotted(node, imported, own)
        if name:
            yield name, getattr(node, "lineno", 0)


def _dotted(node: ast.AST, imported: dict[str, str], own: set[str]) -> str:
    match node:
        case ast.Name(id=name) if name not in own:
            return imported.get(name, name)
        case ast.Attribute(value=value, attr=attribute):
            parent = _dotted(value, imported, own)
            return f"{parent}.{attribute}" if parent else ""
        case ast.Call(func=ast.Name(id="getattr"), args=[value, ast.Constant(value=str(attribute)), *_]):
            parent = _dotted(value, imported, own)
            return f"{parent}.{attribute}" if parent else ""
    return ""


def _evasion(node: ast.AST) -> str:
    match node:
        case ast.Call(func=ast.Attribute(attr="run_line_magic"), args=[ast.Constant(value=magic), *_]):
            return "" if magic in PLAIN_MAGICS else f"the magic `%{magic!s}`"
        case ast.Call(func=ast.Attribute(attr="run_cell_magic"), args=[ast.Constant(value=magic), *_]):
            return f"the magic `%%{magic!s}`"
        case ast.Name(id=name) | ast.Attribute(attr=name) if name in EVASIONS:
            return f"`{name}`"
        case ast.Attribute(value=ast.Name(id="sys"), attr="modules"):
            return "`sys.modules`"
        case ast.Import(names=aliases):
            hiding = [
                a.name for a in aliases if a.name.split(".")[0] in MODULES or (a.name == "sys" and a.asname)
            ]
            return f"`{hiding[0]}`" if hiding else ""
        case ast.ImportFrom(module=str(module)) if module.split(".")[0] in MODULES:
            return f"`{module}`"
        case ast.ImportFrom(names=aliases) if any(a.name in EVASIONS | {"modules"} for a in aliases):
            return next(f"`{a.name}`" for a in aliases if a.name in EVASIONS | {"modules"})
        case ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=attribute):
            return "" if attribute == "run_line_magic" else "IPython itself"
        case ast.Constant(value=str(text)) if "cnncourse" in text and ("layers" in text or "shapes" in text):
            return "the name of the course's own functions as text"
    return ""


def _computed_getattr(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield each `getattr` whose name is not written out."""
    plain = {
        id(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and len(node.args) > 1 and isinstance(node.args[1], ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "getattr" and id(node) not in plain:
            yield node
