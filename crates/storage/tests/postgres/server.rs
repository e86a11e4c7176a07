//! A Postgres of one's own, to stop, start and freeze.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A private server in a temporary directory; stopped and removed at the end.
pub(crate) struct Server {
    directory: PathBuf,
    tools: PathBuf,
    port: u16,
}

impl Server {
    /// Makes and starts one.
    pub(crate) fn new() -> Server {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let directory = std::env::temp_dir().join(format!("sluice-postgres-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let server = Server { directory, tools: tools(), port };
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&server.directory));
        }
        run(server
            .tool("initdb")
            .args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(server.data()));
        server.start();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    pub(crate) fn start(&self) {
        // The processes crash here, never the machine: fsync would only take time.
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories='{}' -c fsync=off",
            self.port,
            self.directory.display()
        );
        let log = self.directory.join("log");
        run(self
            .tool("pg_ctl")
            .args(["-w", "-s", "-o", &options, "-l"])
            .arg(log)
            .arg("-D")
            .arg(self.data())
            .arg("start"));
    }

    /// `fast`: ends sessions in order; `immediate`: as a crash.
    pub(crate) fn stop(&self, mode: &str) {
        run(self.tool("pg_ctl").args(["-w", "-s", "-m", mode, "-D"]).arg(self.data()).arg("stop"));
    }

    /// Sends a signal to all its processes: `STOP` freezes, `CONT` lets go on.
    pub(crate) fn signal(&self, signal: &str) {
        let pid_file = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let postmaster = pid_file.lines().next().unwrap().to_owned();
        let children = std::fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children")).unwrap();
        let processes = std::iter::once(postmaster.as_str()).chain(children.split_whitespace());
        let _ = Command::new("kill").arg(format!("-{signal}")).args(processes).status();
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// The tool, as somebody who is not root.
    fn tool(&self, name: &str) -> Command {
        let path = self.tools.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(&self.directory).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            self.signal("CONT");
            let _ =
                self.tool("pg_ctl").args(["-w", "-s", "-m", "immediate", "-D"]).arg(self.data()).arg("stop").status();
        }
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(status.success(), "{command:?}: {status}");
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    // The owner of a process's directory is its effective user.
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Where `initdb` is: on the path, or in Debian's place, the newest.
fn tools() -> PathBuf {
    let on_path =
        std::env::var_os("PATH").into_iter().flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let debian =
        std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let mut debian: Vec<PathBuf> = debian.collect();
    debian.sort();
    debian.reverse();
    on_path
        .chain(debian)
        .find(|directory: &PathBuf| Path::new(directory).join("initdb").exists())
        .unwrap_or_else(|| panic!("no initdb on the path or in /usr/lib/postgresql: install postgresql"))
}
