"""pydantic's errors in words that a person can act on."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from autonomyd.settings.problem import KeyPath, shown

_TYPES = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a text in quotes",
    "tuple_type": "a list in [ ]",
    "list_type": "a list in [ ]",
    "set_type": "a list in [ ]",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "mapping_type": "a table",
}
_BOUNDS = {
    "greater_than": ("gt", "a number greater than"),
    "greater_than_equal": ("ge", "a number of at least"),
    "less_than": ("lt", "a number less than"),
    "less_than_equal": ("le", "a number of at most"),
}
_PATTERNS = {
    "^/": "an absolute path, one that begins with /",
    "^https?://[^\\s]+$": "a URL that begins with http:// or https://",
}
_PATTERN_KEYS = {"unit": 'the full name of a unit, with its suffix, such as "nginx.service"'}


def message_of(error: ErrorDetails, path: KeyPath) -> str:
    """What is wrong, as `expected X, got Y` wherever pydantic's error allows it. `path` is the key's own path."""
    kind, context, value = error["type"], error.get("ctx", {}), error.get("input")
    if kind == "union_tag_invalid":
        value = context["tag"]
    if expected := _expected(kind, context, path):
        return f"expected {expected}, got {shown(value, path)}"
    made = _SENTENCES.get(kind)
    return made(context, path) if made else _plain(error, path)


def _expected(kind: str, context: Mapping[str, Any], path: KeyPath) -> str:
    if kind in _TYPES:
        return _TYPES[kind]
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"{words} {context[key]:g}"
    if kind in {"literal_error", "enum"}:
        return f"one of {_unquoted(context['expected'])}"
    if kind == "union_tag_invalid":
        return f"one of {_unquoted(context['expected_tags'])}"
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"]) or _PATTERN_KEYS.get(str(path[-1]) if path else "", "")
    if kind == "unknown_kind":
        return f"one of {context['expected']}" if context["expected"] else "a check type, and none is known"
    return ""


def _unquoted(expected: str) -> str:
    return expected.replace("'", "").replace(" or ", ", ")


def _missing(context: Mapping[str, Any], path: KeyPath) -> str:
    return f"missing key {_named(path[-1])}"


def _unknown(context: Mapping[str, Any], path: KeyPath) -> str:
    return f"unknown key {_named(path[-1])}"


def _named(key: str | int) -> str:
    return f"'{json.dumps(str(key), ensure_ascii=False)[1:-1]}'"  # without control characters


def _length(context: Mapping[str, Any], path: KeyPath) -> str:
    least, most = context.get("min_length"), context.get("max_length")
    if least == 1:
        return "must not be empty"
    return f"must hold at least {least}" if least is not None else f"must hold at most {most}"


def _pattern(context: Mapping[str, Any], path: KeyPath) -> str:
    if path[:1] == ("services",) and len(path) == 2:
        return "the name of a service has letters, digits, _ . - and begins with a letter or a digit"
    return f"does not match the pattern {context['pattern']}"


_SENTENCES: Mapping[str, Callable[[Mapping[str, Any], KeyPath], str]] = {
    "missing": _missing,
    "union_tag_not_found": _missing,
    "extra_forbidden": _unknown,
    "too_short": _length,
    "too_long": _length,
    "string_too_short": _length,
    "string_too_long": _length,
    "string_pattern_mismatch": _pattern,
}


def _plain(error: ErrorDetails, path: KeyPath) -> str:
    """A message of one of our own validators, or pydantic's own where there is nothing better."""
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error" and isinstance(value := error.get("input"), str):
        return f"{message}, got {shown(value, path)}"
    return message


_TOML_WORDS = {
    "Cannot overwrite a value": "this key is here twice",
    "Expected '=' after a key in a key/value pair": "expected = after the key",
    "Invalid value": "expected a value (a text stands in quotes)",
    "Unescaped '\\' in a string": "a backslash in \"...\" must be doubled; or use '...'",
    "Expected newline or end of document after a statement": "expected the end of the line here",
    "Invalid statement": "expected key = value or [table]",
    "Unclosed array": "this list is not closed: ] is missing, or a comma",
    "Unclosed inline table": "this table is not closed: } is missing, or a comma",
}


def syntax_message(message: str) -> str:
    """tomllib's words (without the place) in ours."""
    if match := re.fullmatch(r"Cannot declare \((.*?),?\) twice", message):
        return f"the table [{match[1].replace(chr(39), '').replace(', ', '.')}] is here twice"
    return _TOML_WORDS.get(message, message[:1].lower() + message[1:])
