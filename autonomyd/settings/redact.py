"""The settings as plain values that may be shown. What is a secret by its key is masked here, since its text need not
look like one; the rest as everywhere."""

from typing import Any

from autonomyd.model.secrets import MASK, masked_plain
from autonomyd.settings.problem import KeyPath, is_secret
from autonomyd.settings.root import Settings


def public_settings(settings: Settings) -> dict[str, Any]:
    """All settings as JSON values. Environments, headers, tokens, passwords and the users of URLs are masked."""
    public: dict[str, Any] = masked_plain(_public(settings.model_dump(mode="json"), ()))
    return public


def _public(value: Any, path: KeyPath) -> Any:
    if isinstance(value, dict):
        return {key: _public(inner, (*path, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [_public(inner, (*path, index)) for index, inner in enumerate(value)]
    return MASK if value is not None and is_secret(path) else value
