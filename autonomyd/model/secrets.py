"""Secrets in text that may be shown: log lines, messages, evidence. One function for the whole house. Pure."""

import re
from collections.abc import Sequence
from typing import Any

MASK = "***"

_NAMES = (
    r"pass(?:word|wd|phrase)?|pwd|secret(?:[_-]?(?:access[_-]?)?key)?|(?:access|auth|refresh|id|session|csrf|bearer)[_-]?token|"
    r"token|api[_-]?key|access[_-]?key(?:[_-]?id)?|private[_-]?key|client[_-]?secret|credentials?|authorization|"
    r"cookie|set-cookie|dsn"
)
_VALUE = r"""(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,;&"'<>(){}\[\]]+)"""

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.DOTALL)
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
_TOGETHER = 16
"""So many lines are looked at together."""
_USERINFO = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^/\s\"'<>@]*(?:@[^/\s\"'<>@]*)*@", re.IGNORECASE)
_SCHEME = re.compile(r"\b(?P<word>Bearer|Basic|Digest|Token|Negotiate)\s+(?P<value>[A-Za-z0-9+/=_.~-]{8,})")
_HEADER = re.compile(
    r"(?P<head>\b(?:authorization|proxy-authorization|cookie|set-cookie)[\"']?\s*:\s*)[^\r\n]+", re.IGNORECASE
)
_PAIR = re.compile(
    rf"(?P<head>\b[A-Za-z0-9_-]{{0,40}}(?:{_NAMES})[\"']?\s{{0,8}}(?:=>|:=|=|:)\s{{0,8}}){_VALUE}", re.IGNORECASE
)
_OPTION = re.compile(rf"(?P<head>--?[A-Za-z0-9-]{{0,40}}(?:{_NAMES})\s+){_VALUE}", re.IGNORECASE)
_SECRET_OPTION = re.compile(rf"--?[A-Za-z0-9-]{{0,40}}(?:{_NAMES})", re.IGNORECASE)
_WELL_KNOWN = re.compile(
    r"\b(?:(?:AKIA|ASIA|AGPA|AIDA|AROA)[0-9A-Z]{16}"  # AWS access key ids
    r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}"
    r"|glpat-[A-Za-z0-9_-]{16,}|xox[abeoprs]-[A-Za-z0-9-]{10,}"
    r"|sk-[A-Za-z0-9_-]{16,}|[rs]k_(?:live|test)_[A-Za-z0-9]{10,}|AIza[0-9A-Za-z_-]{30,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)"  # JSON web tokens
)
_HINTS = (
    "-----begin", "@", "passw", "passp", "pwd", "secret", "token", "key", "credential", "authorization", "cookie",
    "dsn", "bearer", "basic", "digest", "negotiate", "akia", "asia", "agpa", "aida", "aroa", "ghp_", "gho_", "ghu_",
    "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "sk-", "k_live", "k_test", "aiza", "eyj",
)  # fmt: skip
"""Whatever is masked has one of these in it (or a pass, below): most texts have none, and that is found out quickly."""
_PASS_HINT = re.compile(r"pass[\"']?\s{0,8}[:=]|-[a-z0-9-]{0,40}pass\s")
"""Apart, because "all checks pass" is in many texts."""


def masked(text: str) -> str:
    """`text` with what looks like a secret replaced by ***: user and password of URLs, values of passwords, tokens,
    keys and cookies, Authorization headers, well-known key formats (AWS, GitHub, GitLab, Slack, JSON web tokens) and
    private key blocks. Doubtful cases are masked. Masking what is masked changes nothing."""
    return _thoroughly(text) if _suspicious(text.casefold()) else text


def masked_lines(lines: Sequence[str]) -> list[str]:
    """The same for each of many lines, a key that spans several of them included; quick where none looks suspicious."""
    found: list[str] = []
    in_key = False
    for start in range(0, len(lines), _TOGETHER):
        some = lines[start : start + _TOGETHER]
        if not in_key and not _suspicious("\n".join(some).casefold()):
            found += some
            continue
        for line in some:
            in_key = in_key or _KEY_BEGINS.search(line) is not None
            found.append(MASK if in_key else masked(line))
            in_key = in_key and "-----END " not in line
    return found


def masked_words(words: Sequence[str]) -> list[str]:
    """The same for the words of a command, where a value may be a word of its own behind its option."""
    options = (False, *(_SECRET_OPTION.fullmatch(word) is not None for word in words))
    return [MASK if secret else masked(word) for word, secret in zip(words, options, strict=False)]


def masked_plain(value: Any) -> Any:
    """The same for everything in JSON values (dict, list, str, ...)."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {key: masked_plain(item) for key, item in value.items()}
    if isinstance(value, list):
        words = bool(value) and all(isinstance(item, str) for item in value)
        return masked_words(value) if words else [masked_plain(item) for item in value]
    return value


def _suspicious(folded: str) -> bool:
    return any(hint in folded for hint in _HINTS) or ("pass" in folded and _PASS_HINT.search(folded) is not None)


def _thoroughly(text: str) -> str:
    text = _BLOCK.sub(MASK, text)
    text = _USERINFO.sub(rf"\g<scheme>{MASK}@", text)
    text = _HEADER.sub(rf"\g<head>{MASK}", text)
    text = _SCHEME.sub(rf"\g<word> {MASK}", text)
    text = _PAIR.sub(_hide, text)
    text = _OPTION.sub(_hide, text)
    return _WELL_KNOWN.sub(MASK, text)


def _hide(match: re.Match[str]) -> str:
    value = match["value"]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{match['head']}{quote}{MASK}{quote}"
