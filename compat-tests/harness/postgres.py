"""Real Postgres from the distribution's package, in a directory of its own. It refuses to run as root, so it drops."""
import glob
import os
import pwd
import shutil
import subprocess
import uuid

from . import processes
from .processes import Failed, accepts, free_port, start, wait_until


def _binary(name):
    found = shutil.which(name)
    versioned = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: int(path.split("/")[4]))
    if versioned:
        return versioned[-1]
    if found:
        return found
    raise Failed(f"{name} is missing: install the package `postgresql`")


def new_database(url, purpose):
    """The URL of a new database beside the one of `url`."""
    name = f"{purpose}_{uuid.uuid4().hex[:12]}"
    subprocess.run(["psql", "-q", url, "-c", f"create database {name}"], check=True)
    return url.rsplit("/", 1)[0] + "/" + name


class Server:
    """A Postgres server. `durable` keeps fsync on, for crash tests and benches."""

    def __init__(self, home, durable=False):
        self.home, self.durable = home, durable
        self.port = free_port()
        self.child = None

    def _as_owner(self, command):
        # Another user's process forgets that it should die with its parent, unless it is told again.
        as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--pdeathsig=KILL"]
        return [*as_postgres, *command] if os.geteuid() == 0 else command

    def begin(self):
        data = os.path.join(self.home, "data")
        os.makedirs(self.home, exist_ok=True)
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.home, user.pw_uid, user.pw_gid)
            self._reachable_for_owner()
        if not os.path.exists(os.path.join(data, "PG_VERSION")):
            command = [_binary("initdb"), "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync"]
            status, written = processes.output(self._as_owner(command), cwd="/")
            if status != 0:
                raise Failed(f"initdb failed:\n{written}")
        self._run()
        return self

    def _reachable_for_owner(self):
        """Another user must be able to walk to the data directory."""
        path = self.home
        while path != "/":
            path = os.path.dirname(path)
            if os.stat(path).st_mode & 0o005 != 0o005:
                raise Failed(f"Postgres runs as the user postgres, who cannot enter {path}; "
                             f"set SLUICE_CACHE_DIR to a directory that everybody may enter")

    def _run(self):
        data = os.path.join(self.home, "data")
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.home,
                    "max_connections": 300, "shared_buffers": "64MB"}
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        command = [_binary("postgres"), "-D", data]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        self.child = start(self._as_owner(command), os.path.join(self.home, "postgres.log"), cwd="/")

    def ready(self, seconds=60):
        def answers():
            if not accepts(self.port):
                return False
            command = [_binary("psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-Atc", "select 1"]
            return subprocess.run(command, capture_output=True).stdout.strip() == b"1"
        wait_until(answers, self.child, f"Postgres on port {self.port}", seconds)
        return self

    def url(self, database="postgres"):
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"

    def sql(self, text, database="postgres"):
        command = [_binary("psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-v", "ON_ERROR_STOP=1",
                   "-Atc", text, database]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0:
            raise Failed(f"{text}: {result.stderr}")
        return result.stdout.strip()

    def new_database(self, name):
        self.sql(f'create database "{name}"')
        return self.url(name)

    def stop(self):
        """Immediate shutdown: what a crash of the machine's Postgres looks like to clients."""
        data = os.path.join(self.home, "data")
        subprocess.run(self._as_owner([_binary("pg_ctl"), "-D", data, "-m", "immediate", "stop"]), capture_output=True, cwd="/")
        processes.stop(self.child)

    def restart(self):
        self._run()
        return self.ready()
