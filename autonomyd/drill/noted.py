"""Notes its pid in a file and becomes another program: so that the drill sees every start of a real server.

python noted.py FILE PROGRAM ARGUMENT...
"""

import os
import sys

if __name__ == "__main__":
    with open(sys.argv[1], "a", encoding="ascii") as file:
        file.write(f"{os.getpid()}\n")
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - it becomes the server
