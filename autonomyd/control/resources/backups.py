"""`/v1/backups`: what fixes saved before they wrote into files, and putting it back."""

from typing import Any

from autonomyd.control.resource import ApiProblem, Call, Route
from autonomyd.engine.backups import RollbackRefused
from autonomyd.execute.handlers import StepFailure
from autonomyd.host.objects import ObjectError
from autonomyd.knowledge.backups import UnknownBackupError
from autonomyd.model.change import BackupStatus
from autonomyd.model.fix import Fix, FixState


async def backups(call: Call) -> list[BackupStatus]:
    return await call.system.parts.backups.all()


async def rollback(call: Call) -> dict[str, Any]:
    backup_id = call.path("id")
    try:
        fix = await call.system.parts.backups.roll_back(backup_id, actor=call.actor)
    except UnknownBackupError:
        raise ApiProblem(404, f"there is no backup {backup_id!r}", "`autonomyctl backups` lists them") from None
    except (RollbackRefused, StepFailure, ObjectError) as error:
        raise ApiProblem(409, f"the backup {backup_id} is not put back: {error}") from None
    if fix.state is not FixState.COMMITTED:
        raise ApiProblem(409, f"the backup {backup_id} could not be put back: {fix.message}")
    return {"fix": fix, "message": fix.message}


ROUTES = (
    Route(method="GET", path="/v1/backups", handler=backups, summary="Newest first", answer=list[BackupStatus]),
    Route(
        method="POST",
        path="/v1/backups/{id}/rollback",
        handler=rollback,
        summary="Put the files back, when they still are what the fix wrote; counts against the fix",
        answer=Fix,
    ),
)
