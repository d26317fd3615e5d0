"""`autonomyctl completion SHELL`: the script that lets the shell complete verbs, options and names."""

import json

import click

from autonomyd.cli import exits
from autonomyd.cli.app import App, verb

SHELLS = ("bash", "zsh", "fish")


@verb("completion", codes={exits.OK: "printed"}, talks=False)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_obj
def command(app: App, shell: str) -> None:
    """Print the completion script for SHELL.

    \b
    bash:  eval "$(autonomyctl completion bash)"     in ~/.bashrc
    zsh:   eval "$(autonomyctl completion zsh)"      in ~/.zshrc
    fish:  autonomyctl completion fish | source      in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"this click knows no completion for {shell}")
    root = click.get_current_context().find_root().command
    script = found(root, {}, "autonomyctl", "_AUTONOMYCTL_COMPLETE").source()
    if app.as_json:
        click.echo(json.dumps({"shell": shell, "script": script}, indent=2))
    else:
        click.echo(script)
