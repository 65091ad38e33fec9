"""The meter of the benchmark sees what was killed, which the system's own accounts do not."""

import sys

import pytest

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
if sys.platform.startswith("linux"):
    from cpu_meter import run

BURN = "import time\nwhile time.process_time() < 0.5: pass\n"
KILLED = f"""
import os, signal
child = os.fork()
if child == 0:
    os.setsid()
    if os.fork() == 0:
        exec({BURN!r})
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()
os.waitpid(child, 0)
print('{{"done": 1}}')
"""


def test_time_of_grandchildren_that_were_killed_is_counted(tmp_path):
    found = run(tmp_path, "-c", KILLED)
    assert found.told == {"done": 1}
    assert 0.4 < found.cpu < 1.2
    assert found.wall >= found.cpu / 2 and found.others >= 0


def test_what_fails_is_named(tmp_path):
    with pytest.raises(SystemExit, match="no luck"):
        run(tmp_path, "-c", "import sys; sys.exit('no luck')")
