"""Writes the pages that are made from the settings models: docs/configuration.md and etc/autonomyd.toml.

The check types live in a layer above, so they come in as an argument:

    python -c 'from autonomyd.monitor.probes import check_kinds as c; from autonomyd.settings.reference import *; \
write_pages(Path("."), c())'
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_args, get_origin

from pydantic import BaseModel

from autonomyd.settings.control import AnyControl
from autonomyd.settings.describe import Key, keys_of, models_in, summary
from autonomyd.settings.examples import EXAMPLES
from autonomyd.settings.root import Settings
from autonomyd.settings.sample import sample_file
from autonomyd.settings.service import CheckSettings, ServiceSettings
from autonomyd.settings.thresholds import Threshold

PAGE = Path("docs/configuration.md")
SAMPLE = Path("etc/autonomyd.toml")

_HEAD = """\
# Configuration

<!-- Generated from the settings by `make docs`; edit autonomyd/settings/ instead. -->

autonomyd needs no configuration: without a file it watches the machine and proposes services. What you want
otherwise goes into one TOML file.

**Which file.** `--config FILE`, else `$AUTONOMYD_CONFIG`, else `/etc/autonomyd/autonomyd.toml` or
`$XDG_CONFIG_HOME/autonomyd/autonomyd.toml` (root looks in `/etc` first, everybody else in their own folder first).
[etc/autonomyd.toml](../etc/autonomyd.toml) lists every setting at its default, to copy from.

**Which value counts.** The command line, then the environment, then the file, then the default. Every setting is
also an environment variable, `AUTONOMYD_SECTION__KEY`: `AUTONOMYD_INTERVALS__HEALING_S=15`. Lists and tables are JSON
there. Services are named in capitals with `_` for other characters: `AUTONOMYD_SERVICES__MY_APP__START_GRACE_S=20`.
An empty variable counts as not set.

**A mistake** is refused with file, line, key and what was expected, all mistakes at once, and exit code 78:

```
/etc/autonomyd/autonomyd.toml:12: services.web.checks[0].timeout_s: expected a number greater than 0, got -1
/etc/autonomyd/autonomyd.toml:13: services.web.checks[1].timout_s: unknown key 'timout_s'; did you mean 'timeout_s'?
```

`autonomyctl config check FILE` tells the same without a daemon. On a reload (`autonomyctl reload`, or SIGHUP) a bad
file changes nothing: the old settings stay in force, and `autonomyctl status` says so.

Times end in `_s` and are seconds. Paths are absolute.
"""


def configuration_page(checks: Mapping[str, type[CheckSettings]]) -> str:
    """The reference as Markdown; `checks` maps each check type to its options."""
    parts = [_HEAD]
    for name, field in Settings.model_fields.items():
        model = next(models_in(field.annotation))
        if name == "services":
            parts += _services(checks)
            continue
        header = f"[[{name}]]" if get_origin(field.annotation) is tuple else f"[{name}]"
        parts += _section(f"## `{header}`", model, EXAMPLES[name])
    return "\n".join(parts)


def write_pages(root: Path, checks: Mapping[str, type[CheckSettings]]) -> None:
    """Write the generated files into the project at `root`."""
    (root / PAGE).write_text(configuration_page(checks), encoding="utf-8")
    (root / SAMPLE).write_text(sample_file(), encoding="utf-8")


def _services(checks: Mapping[str, type[CheckSettings]]) -> Iterator[str]:
    yield from _section("## `[services.NAME]`", ServiceSettings, EXAMPLES["services"], nested=False)
    yield "NAME has letters, digits, `_`, `.` and `-`, at most 64, and begins with a letter or a digit.\n"
    for control in get_args(AnyControl):
        kind = control.model_fields["type"].annotation.__args__[0]
        yield from _section(f'### `control = {{ type = "{kind}" }}`', control)
    yield from _section("### `checks`: what every check takes", CheckSettings)
    for kind in sorted(checks):
        yield from _section(f'### `checks = [{{ type = "{kind}" }}]`', checks[kind], beyond=CheckSettings)
    for name in ("limits", "restart", "release", "fallback", "tune", "rotate"):
        yield from _section(f"### `{name}`", next(models_in(ServiceSettings.model_fields[name].annotation)))


def _section(
    title: str,
    model: type[BaseModel],
    example: str = "",
    *,
    beyond: type[BaseModel] | None = None,
    nested: bool = True,
) -> Iterator[str]:
    """A heading, the table of keys, an example, and the tables inside."""
    keys = keys_of(model, beyond=beyond)
    yield f"{title}\n\n{summary(model)}\n"
    if keys:
        yield _table(keys)
    if example:
        yield f"```toml\n{example}```\n"
    inner = dict.fromkeys(each for key in keys for each in models_in(key.field.annotation)) if nested else {}
    for each in inner:
        name = "a metric" if each is Threshold else f"`{_key_with(keys, each)}`"
        yield from _section(f"### {name}", each)


def _key_with(keys: tuple[Key, ...], model: type[BaseModel]) -> str:
    return next(key.name for key in keys if model in models_in(key.field.annotation))


def _table(keys: tuple[Key, ...]) -> str:
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for key in keys:
        default = "*required*" if key.required else f"`{key.default}`" if key.default else ""
        cells = (f"`{key.name}`", key.type, default, key.meaning)
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows) + "\n"
