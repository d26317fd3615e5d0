"""Whether a log line looks like trouble, by the words of any program."""

import re

_LOOKED_AT = 1_024
_HARMLESS = re.compile(
    r"\b(?:INFO|DEBUG|TRACE|NOTICE|INFORMATION|VERBOSE)\b|\b(?:level|lvl|severity)[\"']?\s?[=:]\s?[\"']?(?:info|debug|trace|notice)\b"
)
_HARMLESS_WITHIN = 160
_TROUBLE = re.compile(
    r"\b(?:errors?|err|fatal|crit(?:ical)?|panic(?:ked)?|emerg(?:ency)?|severe|exception|traceback|fail(?:s|ed|ure|ures|ing)?|"
    r"cannot|can't|could not|unable|denied|refused|rejected|timed? ?out|unreachable|corrupt(?:ed)?|abort(?:ed)?|killed|"
    r"crash(?:ed)?|dumped|segfault|overflow|exhausted|no space|out of memory|invalid|lost|broken|warn(?:ing)?)\b",
    re.IGNORECASE,
)


def looks_like_trouble(line: str) -> bool:
    """A word of failure in a line that does not call itself information."""
    return _TROUBLE.search(line, 0, _LOOKED_AT) is not None and _HARMLESS.search(line, 0, _HARMLESS_WITHIN) is None
