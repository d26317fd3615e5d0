"""The settings as plain values that may be shown: what looks like a secret is masked."""

from typing import Any

from autonomyd.settings.problem import KeyPath, is_secret, without_userinfo
from autonomyd.settings.root import Settings

MASK = "***"


def public_settings(settings: Settings) -> dict[str, Any]:
    """All settings as JSON values. Environments, headers, tokens, passwords and the users of URLs are masked."""
    return {name: _public(value, (name,)) for name, value in settings.model_dump(mode="json").items()}


def _public(value: Any, path: KeyPath) -> Any:
    if isinstance(value, dict):
        return {key: _public(inner, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_public(inner, (*path, index)) for index, inner in enumerate(value)]
    if value is not None and is_secret(path):
        return MASK
    return without_userinfo(value) if isinstance(value, str) else value
