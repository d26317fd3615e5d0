"""Makes etc/autonomyd.toml: every setting in its order, commented, with its meaning and its default."""

import textwrap
from collections.abc import Iterator
from typing import get_origin

from pydantic import BaseModel

from autonomyd.settings.describe import Key, keys_of, models_in, summary
from autonomyd.settings.examples import CLEANUP, PLACEHOLDERS, SERVICES
from autonomyd.settings.root import Settings
from autonomyd.settings.thresholds import Threshold

SETTING_MARK = "#"
"""Before a setting at its default; no blank follows."""
EXAMPLE_MARK = "## "
"""Before a line of an example."""
_WIDTH = 108

_HEAD = """\
# autonomyd: every setting, at its default. The daemon runs without this file.
#
#   #key = value     a setting at its default: take the # away to change it
#   ## ...           an example: take the ## away to use it
#
# Copy to /etc/autonomyd/autonomyd.toml (or ~/.config/autonomyd/autonomyd.toml for your own daemon), then:
#   autonomyctl config check FILE      tells every mistake with its line
#   autonomyctl reload                 puts it in force; a bad file changes nothing
# The environment goes before the file: AUTONOMYD_INTERVALS__HEALING_S=15
"""


def sample_file() -> str:
    """The text of etc/autonomyd.toml."""
    blocks = [_HEAD]
    for name, field in Settings.model_fields.items():
        model = next(models_in(field.annotation))
        if name == "services":
            blocks.append(_example("Services: the things that you care for.", SERVICES))
        elif get_origin(field.annotation) is tuple:
            blocks.append(_example(summary(model), CLEANUP))
        else:
            blocks.append(f"\n{_prose(summary(model))}\n[{name}]\n{''.join(_settings(name, model))}")
    return "".join(blocks)


def settings_of(sample: str) -> str:
    """The TOML that `sample` is when every setting is un-commented."""
    lines = [line for line in sample.splitlines() if line[:2] not in {"", "#", "# ", "##"}]
    return "\n".join(line.removeprefix(SETTING_MARK) for line in lines)


def examples_of(sample: str) -> str:
    """The TOML that the examples in `sample` are when they are un-commented."""
    mark = EXAMPLE_MARK.rstrip()
    return "\n".join(line[len(EXAMPLE_MARK) :] for line in sample.splitlines() if line.startswith(mark))


def _settings(section: str, model: type[BaseModel]) -> Iterator[str]:
    if any(Threshold in models_in(field.annotation) for field in model.model_fields.values()):
        yield "".join(f"{line}\n" for line in _inside(Threshold))
    for key in keys_of(model):
        yield f"\n{_prose(key.meaning)}\n"
        for inner in dict.fromkeys(models_in(key.field.annotation)):
            if inner is not Threshold:
                yield "".join(f"{line}\n" for line in _inside(inner))
        yield _line(section, key)


def _line(section: str, key: Key) -> str:
    if key.default:
        return f"#{key.name} = {key.default}\n"
    placeholder = PLACEHOLDERS.get(f"{section}.{key.name}", "")
    return f"# for example: {key.name} = {placeholder}\n" if placeholder else ""


def _inside(model: type[BaseModel]) -> Iterator[str]:
    """The keys of a table that stands on one line."""
    for key in keys_of(model):
        yield _prose(f"{key.name}: {key.meaning}", indent="    ")


def _prose(text: str, indent: str = "") -> str:
    lines = textwrap.wrap(text, _WIDTH - len(indent), subsequent_indent="  " if indent else "")
    return "\n".join(f"# {indent}{line}" for line in lines)


def _example(title: str, text: str) -> str:
    return f"\n{_prose(title)}\n" + "".join(f"{EXAMPLE_MARK}{line}".rstrip() + "\n" for line in text.splitlines())
