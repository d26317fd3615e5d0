"""`autonomyctl metrics [NAME]`: the measured values, or the chart of one over minutes or months."""

from typing import Any

import click

from autonomyd.cli.app import App, suggest, verb
from autonomyd.cli.complete import metric_names
from autonomyd.cli.spans import span
from autonomyd.cli.words import listed
from autonomyd.control.client import ApiError, ClientError, quoted

DEFAULT_SINCE = "30m"


@verb("metrics")
@click.argument("name", required=False, shell_complete=metric_names)
@click.option(
    "--since", callback=span, default=DEFAULT_SINCE, metavar="SPAN", help="How far back: 90s, 30m (default), 7d, 52w."
)
@click.pass_obj
def command(app: App, name: str | None, since: float) -> None:
    """The measured values; with NAME (as the list shows it) a chart of the last half hour, or of up to a year."""
    if name is None:
        answer = app.get("/v1/metrics")
        app.put(answer, lambda: _list(answer))
        return
    try:
        points = None if app.as_json else _points()
        answer = app.get(f"/v1/metrics/{quoted(name)}", since_s=since, points=points)
    except ApiError as error:
        raise suggest(error, name, _known(app)) from None
    app.put(answer, lambda: _chart(answer, since))


def _known(app: App) -> list[str]:
    try:
        return [str(each["name"]) for each in listed(app.get("/v1/metrics"), "series")]
    except ClientError:
        return []


def _points() -> int:
    from autonomyd.cli.views.metrics import chart_points

    return chart_points()


def _list(answer: Any) -> Any:
    from autonomyd.cli.views.metrics import metrics_view

    return metrics_view(listed(answer, "series"))


def _chart(answer: Any, since: float) -> Any:
    from autonomyd.cli.views.metrics import chart_view

    return chart_view(answer, since)
