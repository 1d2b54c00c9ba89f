//! A real Postgres for tests, on a free port and in its own folder. It is stopped when its value is dropped.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

/// The variable that leaves out the tests that need Postgres.
pub const SKIP: &str = "UPVEST_SKIP_SERVERS";

const START_LIMIT: Duration = Duration::from_secs(60);

/// A Postgres server that runs until this is dropped.
#[derive(Debug)]
pub struct Postgres {
    program: PathBuf,
    folder: TempDir,
    port: u16,
    process: Option<Child>,
}

impl Postgres {
    /// Starts it with an empty database. `None` if it is not installed and `UPVEST_SKIP_SERVERS` is set.
    ///
    /// # Errors
    ///
    /// If it is not installed, with what to install, or if it does not start.
    pub fn start() -> Result<Option<Self>> {
        let Some(program) = installed()? else {
            return Ok(None);
        };
        let folder = tempfile::tempdir()?;
        if let Some((user, group)) = substitute()? {
            chown(folder.path(), Some(user), Some(group))?;
        }
        let mut server = Self {
            program,
            folder,
            port: 0,
            process: None,
        };
        server.create_database()?;
        server.run_on_a_free_port()?;
        Ok(Some(server))
    }

    /// The URL for clients.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    /// Kills it immediately, like a crash.
    ///
    /// # Errors
    ///
    /// If the process cannot be killed.
    pub fn kill(&mut self) -> Result<()> {
        let Some(mut process) = self.process.take() else {
            return Ok(());
        };
        // This signal also ends its child processes, which SIGKILL would not.
        signal(&process, "-QUIT")?;
        process.wait()?;
        Ok(())
    }

    /// Starts it again after [`Postgres::kill`], on the same port and with its data.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.process = Some(self.run(self.port)?);
        Ok(())
    }

    fn create_database(&self) -> Result<()> {
        let made = self
            .command(&self.program.with_file_name("initdb"))?
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8"])
            .args(["--no-sync", "--pgdata"])
            .arg(self.data())
            .output()?;
        anyhow::ensure!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        Ok(())
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Another process may take the port before the server uses it.
    fn run_on_a_free_port(&mut self) -> Result<()> {
        let mut last = None;
        for _ in 0..5 {
            self.port = free_port()?;
            match self.run(self.port) {
                Ok(process) => {
                    self.process = Some(process);
                    return Ok(());
                }
                Err(error) => last = Some(error),
            }
        }
        bail!("{} does not start: {last:?}", self.program.display())
    }

    /// Starts the process and waits until it accepts connections.
    fn run(&self, port: u16) -> Result<Child> {
        let mut process = self
            .command(&self.program)?
            .args(["-p", &port.to_string()])
            .args(["-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories="])
            .args(["-c", "fsync=off"])
            .args(["-c", "max_connections=300"])
            .arg("-D")
            .arg(self.data())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| self.program.display().to_string())?;
        let lines = process.stderr.take().context("its output")?;
        match is_ready(lines).recv_timeout(START_LIMIT) {
            Ok(Ok(())) => return Ok(process),
            Ok(Err(said)) => eprintln!("{said}"),
            Err(_) => eprintln!("not ready after {START_LIMIT:?}"),
        }
        let _ = process.kill();
        let status = process.wait()?;
        bail!("{} ended with {status}", self.program.display())
    }

    fn command(&self, program: &Path) -> Result<Command> {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        if let Some((user, group)) = substitute()? {
            command.uid(user).gid(group);
        }
        Ok(command)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// Reads all of its output, as a full pipe would block the server. An error has its first lines.
fn is_ready(lines: impl std::io::Read + Send + 'static) -> mpsc::Receiver<Result<(), String>> {
    let (ready, is_ready) = mpsc::channel();
    std::thread::spawn(move || {
        let mut said = Vec::new();
        for line in BufReader::new(lines).lines().map_while(Result::ok) {
            if line.contains("ready to accept connections") {
                let _ = ready.send(Ok(()));
            }
            if said.len() < 20 {
                said.push(line);
            }
        }
        let _ = ready.send(Err(said.join("\n")));
    });
    is_ready
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

fn signal(process: &Child, signal: &str) -> Result<()> {
    let sent = Command::new("kill")
        .args([signal, &process.id().to_string()])
        .status()?;
    anyhow::ensure!(sent.success(), "kill {signal}: {sent}");
    Ok(())
}

/// The user of the server. Postgres does not run as root, so its package's user is used instead.
fn substitute() -> Result<Option<(u32, u32)>> {
    if std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() != 0) {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd")?;
    let fields = |name: &str| {
        users
            .lines()
            .find(|line| line.starts_with(&format!("{name}:")))
    };
    let line = fields("postgres")
        .or_else(|| fields("nobody"))
        .context("no user to run Postgres as")?;
    let mut numbers = line.split(':').skip(2).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(user)), Some(Ok(group))) => Ok(Some((user, group))),
        _ => bail!("/etc/passwd has no numbers for {line}"),
    }
}

/// The program. Debian installs it in folders by version.
fn installed() -> Result<Option<PathBuf>> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    let mut programs = folders.iter().map(|folder| folder.join("postgres"));
    match programs.find(|path| path.is_file()) {
        Some(program) => Ok(Some(program)),
        None if std::env::var_os(SKIP).is_some() => {
            eprintln!("SKIPPED: Postgres is not installed");
            Ok(None)
        }
        None => bail!(
            "Postgres is not installed: `apt-get install postgresql` (or set {SKIP}=1 to leave out what needs it)"
        ),
    }
}
