"""Child processes that never outlive the run: own process group, killed on exit, on Ctrl-C, and when we are killed."""
import atexit
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CACHE = os.environ.get("SLUICE_CACHE_DIR") or os.path.join(ROOT, ".cache")
_children = []
_lock = threading.Lock()
_PR_SET_PDEATHSIG = 1


class Failed(Exception):
    """Something could not be brought up; the text says what, and what to do."""


def say(text):
    print(f"==> {text}", flush=True)


def _die_with_parent():
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def start(command, log, preexec=None, **options):
    """Starts `command` with its output in the file `log`. It dies with this process. `preexec()` runs in the child first."""
    def before():
        _die_with_parent()
        if preexec:
            preexec()
    os.makedirs(os.path.dirname(log), exist_ok=True)
    with open(log, "ab") as out:
        # The parent-death signal is tied to the thread that forks; all starts happen on the main thread or on
        # threads that live as long as the run.
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                 preexec_fn=before, **options)
    child.log = log
    with _lock:
        _children.append(child)
    return child


def run(command, **options):
    """Runs `command` with its output on ours; its exit status. It ends with us, whatever ends us."""
    child = _started(command, **options)
    child.wait()
    return stop(child)


def output(command, **options):
    """Runs `command` to its end, which is ours if that comes first: its exit status, and all it wrote."""
    child = _started(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    written, _ = child.communicate()
    return stop(child), written


def _started(command, **options):
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent, **options)
    with _lock:
        _children.append(child)
    return child


def stop(child, grace=5.0):
    """Ends a child: SIGTERM, then SIGKILL to its whole group. Its exit status."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(grace)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    child.wait()
    with _lock:
        if child in _children:
            _children.remove(child)
    return child.returncode


def kill(child):
    """Ends a child at once, as a crash would."""
    return stop(child, grace=0.0) if child.poll() is not None else _kill_now(child)


def _kill_now(child):
    os.killpg(child.pid, signal.SIGKILL)
    return stop(child, grace=0.0)


def stop_all():
    with _lock:
        children = list(reversed(_children))
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + 3
    for child in children:
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        stop(child, grace=0.0)


atexit.register(stop_all)


def end_on_signals(raising=None):
    """SIGINT, SIGTERM and SIGHUP end the run through the exit handlers; by the exception `raising`, where SystemExit does
    not. Nothing is stopped here: the handler may have interrupted a wait, whose lock another wait would need."""
    def leave(number, _frame):
        if raising:
            raise raising
        sys.exit(128 + number)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


def run_main(main, ended=lambda status: None):
    """The process of a runner: `main(arguments)` gives its exit status (nothing means 0); what is told as `Failed` is
    printed; everything it started is stopped, then `ended(status)` cleans up."""
    status = 1
    try:
        status = main(sys.argv[1:]) or 0
    except Failed as failure:
        print(f"error: {failure}", file=sys.stderr)
    finally:
        stop_all()
    ended(status)
    sys.exit(status)


def tail(path, lines=30):
    """The last lines of a log, for messages."""
    try:
        with open(path, errors="replace") as file:
            return "".join(file.readlines()[-lines:])
    except OSError as error:
        return str(error)


_handed_out = set()


def free_port():
    """A port nobody listens on and that this run has not handed out."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        if port not in _handed_out:
            _handed_out.add(port)
            return port


def wait_until(condition, child, what, seconds=60.0):
    """Polls `condition` until it is true; fails with the log when the child ends first or time is up."""
    deadline = time.monotonic() + seconds
    while True:
        if child is not None and child.poll() is not None:
            raise Failed(f"{what} ended with status {child.returncode}:\n{tail(child.log)}")
        if condition():
            return
        if time.monotonic() > deadline:
            raise Failed(f"{what} was not ready after {seconds:.0f} s:\n{tail(child.log) if child else ''}")
        time.sleep(0.02)


def accepts(port, host="127.0.0.1"):
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((host, port), 0.5):
            return True
    except OSError:
        return False
