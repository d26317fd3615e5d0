"""Which child of a real process is to blame."""

import subprocess
import sys

from autonomyd.host.culprits import busiest_child, parent_of_zombies

WORKER = "import sys; print('up', flush=True)\nwhile True: pass"
MAIN = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, '-c', {WORKER!r}])
print(child.pid, flush=True)
sys.stdin.read()
child.kill()
"""
KEEPER = """
import os, sys
for _ in range(3):
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)  # it is dead by now, and stays a zombie
print('ready', flush=True)
sys.stdin.read()
"""
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, '-c', {KEEPER!r}], stdin=sys.stdin, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""


def running(program):
    return subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


def test_the_child_that_uses_the_cpu():
    with running(MAIN) as main:
        pid = int(main.stdout.readline())
        main.stdout.readline()
        found = busiest_child(main.pid)
        assert found is not None
        assert (found[0].pid, found[2] >= 0.8) == (pid, True)
        assert busiest_child(pid) is None


def test_the_child_that_leaves_its_dead_children():
    with running(PARENT) as main:
        pid = int(main.stdout.readline())
        found = parent_of_zombies(main.pid)
        assert found is not None
        assert (found[0].pid, found[2]) == (pid, 3)
        assert parent_of_zombies(pid) is None
