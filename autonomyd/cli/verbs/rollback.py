"""`autonomyctl rollback ID`: a person takes a fix's changes of files back."""

from typing import Any

import click

from autonomyd.cli import exits
from autonomyd.cli.app import App, NotDone, suggest, verb
from autonomyd.cli.complete import backup_ids
from autonomyd.cli.words import listed
from autonomyd.control.client import ApiError, ClientError, quoted

TIMEOUT_S = 180.0
CODES = {
    exits.OK: "put back",
    exits.NOT_DONE: "not put back: somebody changed a file since, or it was put back already",
}


@verb("rollback", codes=CODES)
@click.argument("backup_id", metavar="ID", shell_complete=backup_ids)
@click.pass_obj
def command(app: App, backup_id: str) -> None:
    """Put back the files that the backup ID saved, when they still are what the fix wrote. A service that the fix
    restarted is restarted. It counts against the fix: it is not made again so soon. `backups` lists the IDs."""
    try:
        answer = app.post(f"/v1/backups/{quoted(backup_id)}/rollback", timeout_s=TIMEOUT_S)
    except ApiError as error:
        if error.status == 409:
            raise NotDone(error.status, error.message, error.hint) from None
        raise suggest(error, backup_id, _known(app)) from None
    app.put(answer, lambda: _view(answer))


def _known(app: App) -> list[str]:
    try:
        return [str(each["id"]) for each in listed(app.get("/v1/backups"), "backups")]
    except ClientError:
        return []


def _view(answer: Any) -> Any:
    from autonomyd.cli.screen import FINE, line, mark

    return mark(True).append(" ").append_text(line((str(answer.get("message") or "put back"), FINE)))
