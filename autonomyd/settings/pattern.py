"""Regular expressions that people write: they must compile, and stay short."""

import re

MAX_PATTERN_CHARS = 500


def checked_pattern(pattern: str) -> str:
    """`pattern` itself. Raises ValueError when it is too long or does not compile."""
    if len(pattern) > MAX_PATTERN_CHARS:
        raise ValueError(f"a pattern of {len(pattern)} characters; at most {MAX_PATTERN_CHARS} are allowed")
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern
