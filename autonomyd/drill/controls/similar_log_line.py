"""A service logs lines that look like errors, but are none of those that its check names."""

from autonomyd.drill.stage import Stage
from autonomyd.drill.untouched import Control

LINES = ("0+errors+found", "operational+error+budget+99.9", "ERROR+page+viewed+by+3+users")


def act(stage: Stage) -> None:
    for _ in range(3):
        for line in LINES:
            stage.web.ask(f"/say/{line}")
        stage.rest(1.0)


SCENARIO = Control(
    name="similar-log-line",
    what="log lines that only look like errors",
    act=act,
).scenario()
