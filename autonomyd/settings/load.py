"""Reads the configuration: command line over environment over file over defaults, with all faults at once."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from autonomyd.settings.crosscheck import contradictions
from autonomyd.settings.document import Document, read_document
from autonomyd.settings.environment import read_environment
from autonomyd.settings.layers import Layers, validated
from autonomyd.settings.problem import ConfigError
from autonomyd.settings.root import Settings
from autonomyd.settings.service import CheckSettings

SYSTEM_CONFIG = Path("/etc/autonomyd/autonomyd.toml")
CONFIG_VARIABLE = "AUTONOMYD_CONFIG"

NOTHING: Mapping[str, Any] = MappingProxyType({})


def find_config(environ: Mapping[str, str] | None = None) -> Path | None:
    """The configuration file when none is named: $AUTONOMYD_CONFIG (whether or not it exists), else the system's for
    root and the user's own for others, each before the other; None when there is none (zero configuration)."""
    variables = os.environ if environ is None else environ
    if named := variables.get(CONFIG_VARIABLE):
        return Path(named)
    candidates = [SYSTEM_CONFIG]
    home = variables.get("XDG_CONFIG_HOME") or (f"{variables['HOME']}/.config" if variables.get("HOME") else "")
    if home:
        candidates.insert(1 if os.geteuid() == 0 else 0, Path(home, "autonomyd", "autonomyd.toml"))
    # os.path.exists, because Path.exists raises where a folder may not be entered
    return next((path for path in candidates if os.path.exists(path)), None)


def load_settings(
    path: Path | None,
    *,
    checks: Mapping[str, type[CheckSettings]],
    overrides: Mapping[str, Any] = NOTHING,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """The settings of `path` (None: `find_config`; no file at all means the defaults).

    `checks` maps each check type to its options, `overrides` are nested tables from the command line, `environ` is
    the environment (default: the process's own). Raises ConfigError with every fault."""
    variables = os.environ if environ is None else environ
    file = path if path is not None else find_config(variables)
    document = Document() if file is None else read_document(file)
    return _settings(document, variables, overrides, checks)


def make_settings(tables: Mapping[str, Any], *, checks: Mapping[str, type[CheckSettings]] = NOTHING) -> Settings:
    """Settings of `tables` and the defaults alone: no file, no environment. For embedding programs and tests.

    Raises ConfigError with every fault."""
    return _settings(Document(data=tables), NOTHING, NOTHING, checks)


def _settings(
    document: Document,
    environ: Mapping[str, str],
    overrides: Mapping[str, Any],
    checks: Mapping[str, type[CheckSettings]],
) -> Settings:
    services = document.data.get("services")
    environment = read_environment(
        environ, sections=Settings.model_fields, services=services if isinstance(services, dict) else ()
    )
    layers = Layers(document=document, environment=environment, overrides=overrides)
    merged = layers.merged()
    settings, errors = validated(merged, checks)
    faults = list(contradictions(merged))
    if settings is None or faults:
        from autonomyd.settings.verdict import problems_of  # the words are needed only for a bad configuration

        raise ConfigError(problems_of(layers, errors, faults, checks))
    return settings
