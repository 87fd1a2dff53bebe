"""How soon Ctrl-C ends something that takes long: measured from outside, on a Python of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

# A process may see CLOCK_MONOTONIC of the system, so that dates of two processes can be compared.
_PROGRAM = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
import fluidbatch as fb
{setup}
before = signal.getsignal(signal.SIGINT)
print("begins", flush=True)
try:
    {statement}
    print("came to its end")
except KeyboardInterrupt:
    print("ended", time.monotonic())
assert signal.getsignal(signal.SIGINT) is before
try:
    os.waitpid(-1, os.WNOHANG)
    print("children are left")
except ChildProcessError:
    print("no children")
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
    print("the handler is lost")
except KeyboardInterrupt:
    print("the handler is back")
"""


def environment():
    """With the package that this process has, whatever the current folder."""
    import fluidbatch

    return {**os.environ, "PYTHONPATH": str(Path(fluidbatch.__file__).absolute().parents[1])}


def seconds_to_end(statement, setup, after_s, folder):
    """Seconds from a SIGINT, `after_s` after `statement` has begun, to KeyboardInterrupt. Asserts that no child is left
    and that Python's handler is back."""
    process = subprocess.Popen([sys.executable, "-c", _PROGRAM.format(setup=setup, statement=statement)], cwd=folder,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
    try:
        assert process.stdout.readline() == "begins\n", process.stderr.read()
        time.sleep(after_s)
        sent_s = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    lines = out.splitlines()
    assert lines and lines[0].startswith("ended "), out + err
    assert lines[1:] == ["no children", "the handler is back"], out + err
    return float(lines[0].split()[1]) - sent_s


def ends_at_once(statement, setup="", after_s=0.5, folder=None):
    """Whether that takes less than 0.2 s, in one of three tries: others may have the processor in one."""
    return any(seconds_to_end(statement, setup, after_s, folder) < 0.2 for _ in range(3))
