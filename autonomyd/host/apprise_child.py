"""Sends one message through Apprise, in a process of its own: Apprise and what it pulls in take 19 MB that stay, and a
plugin that hangs can be ended. Run as a program by notifying.py; imports nothing of autonomyd.

The job is JSON in the environment variable APPRISE_JOB (argv can be read by everybody): url, title, body, kind.
Exit code: 0 sent, 1 not sent, 2 Apprise does not take the URL, 3 Apprise is not there. stderr says why, in one line."""

import json
import logging
import os
import re
import sys

NOT_SENT, BAD_URL, MISSING = 1, 2, 3
_ERRNO = re.compile(r"\[Errno -?\d+\] ([A-Za-z ,'-]+)|(timed out)")


class Heard(logging.Handler):
    """Keeps what Apprise says: its warnings whole, of its debug lines only the reason of a broken connection."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.levelno >= logging.WARNING:
            self.lines.append(text)
        elif (found := _ERRNO.search(text)) is not None:
            self.lines.append(found[1] or found[2])


def main() -> int:
    job = json.loads(os.environ.pop("APPRISE_JOB"))
    try:
        import apprise
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        return MISSING
    heard = Heard()
    logger = logging.getLogger("apprise")
    logger.addHandler(heard)
    logger.setLevel(logging.DEBUG)
    asset = apprise.AppriseAsset(app_id="autonomyd", app_desc="autonomyd", async_mode=False)
    sender = apprise.Apprise(asset=asset)
    code = 0
    if not sender.add(job["url"]):
        code = BAD_URL
    elif "body" in job and not sender.notify(
        title=job["title"],
        body=job["body"],
        notify_type=apprise.NotifyType(job["kind"]),
        body_format=apprise.NotifyFormat.TEXT,
    ):
        code = NOT_SENT
    if code:
        sys.stderr.write(" ".join("; ".join(dict.fromkeys(line.rstrip(". ") for line in heard.lines)).split()) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
