"""The server under test, as a user starts it."""
import json
import os
import subprocess
import urllib.error
import urllib.request

from . import processes
from .processes import ROOT, free_port, start, tail, wait_until

BINARY = os.environ.get("SLUICE_TEST_BINARY") or os.path.join(
    os.environ.get("CARGO_TARGET_DIR") or os.path.join(ROOT, "target"), "debug", "sluice")


class Sluice:
    """`sluice serve` (or another command) on free ports."""

    def __init__(self, home, *flags, command="serve", environment=None, preexec=None):
        os.makedirs(home, exist_ok=True)
        self.home = home
        self.registry_port, self.rest_port, self.management_port = free_port(), free_port(), free_port()
        self.registry = f"http://127.0.0.1:{self.registry_port}"
        self.rest = f"http://127.0.0.1:{self.rest_port}"
        self.management = f"http://127.0.0.1:{self.management_port}"
        self.command = [BINARY, command,
                        "--registry-listen", f"127.0.0.1:{self.registry_port}",
                        "--rest-listen", f"127.0.0.1:{self.rest_port}",
                        "--management-listen", f"127.0.0.1:{self.management_port}", *flags]
        self.environment = os.environ | (environment or {})
        self.log = os.path.join(home, "sluice.log")
        self.preexec = preexec
        self.child = None

    def begin(self):
        self.child = start(self.command, self.log, preexec=self.preexec, env=self.environment, cwd=self.home)
        return self

    def is_ready(self):
        status, _ = self.get(self.management + "/readyz")
        return status == 200

    def ready(self, seconds=30):
        wait_until(self.is_ready, self.child, "sluice", seconds)
        return self

    def stop(self, grace=25.0):
        return processes.stop(self.child, grace)

    def kill(self):
        processes.kill(self.child)

    def log_tail(self, lines=40):
        return tail(self.log, lines)

    def get(self, url, headers=None):
        return self.request("GET", url, None, headers)

    def request(self, method, url, body=None, headers=None, timeout=30):
        """Status and decoded body (JSON if it is, else text); (0, reason) when nobody answers."""
        data = None
        headers = dict(headers or {})
        if body is not None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(url, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, _decoded(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, _decoded(error.read())
        except (urllib.error.URLError, OSError) as error:
            return 0, str(error)


def _decoded(raw):
    text = raw.decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return text


def run_command(*arguments, environment=None):
    """Runs `sluice …` to its end: status, standard output, standard error."""
    result = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60,
                            env=os.environ | (environment or {}))
    return result.returncode, result.stdout, result.stderr
