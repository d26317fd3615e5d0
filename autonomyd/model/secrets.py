"""Secrets in text that may be shown: log lines, messages, evidence. One function for the whole house. Pure."""

import re

MASK = "***"

_NAMES = (
    r"pass(?:word|wd|phrase)?|pwd|secret(?:[_-]?(?:access[_-]?)?key)?|(?:access|auth|refresh|id|session|csrf|bearer)[_-]?token|"
    r"token|api[_-]?key|access[_-]?key(?:[_-]?id)?|private[_-]?key|client[_-]?secret|credentials?|authorization|"
    r"cookie|set-cookie|dsn"
)
_VALUE = r"""(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,;&"'<>(){}\[\]]+)"""

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.DOTALL)
_USERINFO = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]*://)[^/\s\"'<>@]*(?:@[^/\s\"'<>@]*)*@", re.IGNORECASE)
_SCHEME = re.compile(r"\b(?P<word>Bearer|Basic|Digest|Token|Negotiate)\s+(?P<value>[A-Za-z0-9+/=_.~-]{8,})")
_HEADER = re.compile(
    r"(?P<head>\b(?:authorization|proxy-authorization|cookie|set-cookie)[\"']?\s*:\s*)[^\r\n]+", re.IGNORECASE
)
_PAIR = re.compile(
    rf"(?P<head>\b[A-Za-z0-9_-]{{0,40}}(?:{_NAMES})[\"']?\s{{0,8}}(?:=>|:=|=|:)\s{{0,8}}){_VALUE}", re.IGNORECASE
)
_OPTION = re.compile(rf"(?P<head>--?[A-Za-z0-9-]{{0,40}}(?:{_NAMES})\s+){_VALUE}", re.IGNORECASE)
_WELL_KNOWN = re.compile(
    r"\b(?:(?:AKIA|ASIA|AGPA|AIDA|AROA)[0-9A-Z]{16}"  # AWS access key ids
    r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}"
    r"|glpat-[A-Za-z0-9_-]{16,}|xox[abeoprs]-[A-Za-z0-9-]{10,}"
    r"|sk-[A-Za-z0-9_-]{16,}|[rs]k_(?:live|test)_[A-Za-z0-9]{10,}|AIza[0-9A-Za-z_-]{30,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)"  # JSON web tokens
)
_HINT = re.compile(
    rf"-----BEGIN|://[^\s]*@|{_NAMES}|bearer|basic|digest|negotiate|AKIA|ASIA|AGPA|AIDA|AROA|gh[pousr]_|glpat-|xox|"
    r"sk-|k_live|k_test|AIza|eyJ",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """`text` with what looks like a secret replaced by ***: user and password of URLs, values of passwords, tokens,
    keys and cookies, Authorization headers, well-known key formats (AWS, GitHub, GitLab, Slack, JSON web tokens) and
    private key blocks. Doubtful cases are masked. Masking what is masked changes nothing."""
    if not _HINT.search(text):
        return text
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
