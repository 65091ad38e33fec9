"""Find library calls that would be an exercise's whole answer, by reading the source of the answer."""

from __future__ import annotations

import ast
import functools
import inspect
import sys
import textwrap
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Use:
    """A library function that the answer uses: its full name, and the student's line."""

    name: str
    line: int  # counted from the top of the cell or file
    code: str


def find_use(function: Any, forbidden: Sequence[str]) -> Use | None:
    """Return the first use of a forbidden library function, or None.

    Names are followed through imports, aliases, and the functions of the student's own that `function` calls.
    A function whose source cannot be read is searched by the names in its code.
    """
    objects = {id(found): name for name in forbidden if (found := resolve(name)) is not None}
    if name := forbidden_name("", function, forbidden, objects):
        return Use(name, 0, "")
    queue, seen = _functions(function), set()
    while queue:
        current = queue.pop()
        if current in seen:
            continue
        seen.add(current)
        for full_name, found, line, code in _references(current):
            if name := forbidden_name(full_name, found, forbidden, objects):
                return Use(name, line, code)
            queue += [own for own in _functions(found) if own.__module__ == current.__module__]
    return None


def forbidden_name(full_name: str, found: Any, forbidden: Sequence[str], objects: dict[int, str]) -> str:
    """Return the forbidden name that this is, by its name or by the object behind it, or an empty string."""
    found = _unwrapped(found)
    if full_name in forbidden or id(found) in objects:
        return full_name if full_name in forbidden else objects[id(found)]
    modules = tuple(name[:-1] for name in forbidden if name.endswith(".*"))
    if _is(found, types.FunctionType, type):
        full_name = f"{found.__module__}.{found.__qualname__}"
    return full_name if full_name.startswith(modules) else ""


def _unwrapped(found: Any) -> Any:
    """Return the function inside a partial or a bound method; no other object is asked for anything."""
    if type(found) is functools.partial:
        found = found.func
    return found.__func__ if type(found) is types.MethodType else found


def _functions(found: Any) -> list[types.FunctionType]:
    """Return the Python functions that run when `found` is called."""
    found = _unwrapped(found)
    if _is(found, types.FunctionType):
        return [found]
    kind = found if _is(found, type) else type(found)
    return [f for f in vars(kind).values() if _is(f, types.FunctionType)]


def _is(found: Any, *kinds: type) -> bool:
    """Do what `isinstance` does, without asking the object itself: a student's own may answer anything."""
    return issubclass(type(found), kinds)


def _references(function: types.FunctionType) -> Iterator[tuple[str, Any, int, str]]:
    """Yield (full dotted name, live object or None, line, code) for every name that `function` reads."""
    try:
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
    except (OSError, TypeError, SyntaxError, ValueError):
        for name in function.__code__.co_names:
            yield _name_of(function.__globals__.get(name), name), function.__globals__.get(name), 0, ""
        return
    scope = {**function.__globals__, **_closure(function)}
    imported = dict(imports_in(tree))
    for name in local_names(tree) - set(imported):
        scope[name] = None
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
            full_name, found = _lookup(node, scope, imported)
            if full_name:
                yield full_name, found, first + node.lineno - 1, lines[node.lineno - 1].strip()


def imports_in(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (local name, full dotted name) of the imports inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.split(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def local_names(tree: ast.AST) -> set[str]:
    """Return the names that a function gives to its own values."""
    stored = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored | {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}


def _lookup(node: ast.expr, scope: dict[str, Any], imported: dict[str, str]) -> tuple[str, Any]:
    """Return the full dotted name of `a.b.c` and the object it is, where modules and imports lead to one."""
    if isinstance(node, ast.Name):
        if node.id in imported:
            return imported[node.id], resolve(imported[node.id])
        found = scope.get(node.id)
        return _name_of(found, node.id), found
    if not isinstance(node, ast.Attribute):
        return "", None
    parent, owner = _lookup(node.value, scope, imported)
    if not parent or not _is(owner, types.ModuleType, type, types.NoneType):
        return "", None
    return f"{parent}.{node.attr}", getattr(owner, node.attr, None) if owner is not None else None


def _name_of(found: Any, name: str) -> str:
    return found.__name__ if _is(found, types.ModuleType) else name


def resolve(full_name: str) -> Any:
    """Return the object of this dotted name, if its module is loaded already.

    The name may come from a student's source and is looked up where verdicts are formed: nothing but modules
    and classes is looked into, and nothing of theirs is run, not even a module's own `__getattr__`.
    """
    parts = full_name.split(".")
    if not all(part.isidentifier() for part in parts):
        return None
    for cut in range(len(parts), 0, -1):
        if (found := sys.modules.get(".".join(parts[:cut]))) is not None:
            for attribute in parts[cut:]:
                if type(found) not in (types.ModuleType, type):
                    return None
                found = vars(found).get(attribute)
            return found
    return None


def _closure(function: types.FunctionType) -> dict[str, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {name: cell.cell_contents for name, cell in cells if cell != types.CellType()}
