"""YAML: ruamel.yaml's composer judges and tells where each value stands; it is imported only for a YAML file."""

from collections.abc import Iterator
from typing import Any

from autonomyd.host.editing.place import EditRefused, KeyPath, NoParser, Place

DEPTH_LIMIT = 100


def check(text: str) -> None:
    """Raises EditRefused when it does not parse. Tags of applications are not looked at."""
    _documents(text)


def places(text: str) -> Iterator[Place]:
    """Every scalar of every document; one that an alias repeats is told at each path."""
    for document in _documents(text):
        if document is not None:
            yield from _inside(document, (), text)


def _documents(text: str) -> list[Any]:
    try:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError
    except ImportError:
        raise NoParser("YAML needs the package ruamel.yaml: pip install 'autonomyd[yaml]'") from None
    try:
        return list(YAML(typ="rt", pure=True).compose_all(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark
        where = "" if mark is None else f", line {mark.line + 1}"
        raise EditRefused(f"no valid YAML: {error.problem}{where}") from None
    except (YAMLError, RecursionError, ValueError) as error:
        raise EditRefused(f"no valid YAML: {error}") from None


def _inside(node: Any, path: KeyPath, text: str) -> Iterator[Place]:
    if len(path) > DEPTH_LIMIT:
        raise EditRefused(f"nested more than {DEPTH_LIMIT} deep")
    if node.id == "mapping":
        for key, value in node.value:
            if key.id == "scalar":
                yield from _inside(value, (*path, key.value), text)
    elif node.id == "sequence":
        for index, value in enumerate(node.value):
            yield from _inside(value, (*path, index), text)
    else:
        start, end = node.start_mark.index, node.end_mark.index
        quoted = int(node.style in ("'", '"'))
        if text[start + quoted : end - quoted] == node.value:  # else folded, escaped or a block: no number
            yield Place(path=path, start=start + quoted, end=end - quoted)
