//! Real servers for tests, each on a free port and in its own folder. A server is stopped when its value is dropped.

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

/// The variable that leaves out the tests that need servers.
pub const SKIP: &str = "UPVEST_SKIP_SERVERS";

const START_LIMIT: Duration = Duration::from_secs(60);

/// A server that runs until this is dropped.
#[derive(Debug)]
pub struct Server {
    kind: Kind,
    program: PathBuf,
    folder: TempDir,
    port: u16,
    process: Option<Child>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Redis,
    Postgres,
}

impl Server {
    /// Starts Redis, or Valkey, empty. `None` if neither is installed and `UPVEST_SKIP_SERVERS` is set.
    ///
    /// # Errors
    ///
    /// If neither is installed, with what to install, or if it does not start.
    pub fn redis() -> Result<Option<Self>> {
        let Some(program) = installed(&["redis-server", "valkey-server"], "redis-server")? else {
            return Ok(None);
        };
        Self::start(Kind::Redis, program).map(Some)
    }

    /// Starts Postgres with an empty database. `None` if it is not installed and `UPVEST_SKIP_SERVERS` is set.
    ///
    /// # Errors
    ///
    /// If it is not installed, with what to install, or if it does not start.
    pub fn postgres() -> Result<Option<Self>> {
        let Some(program) = installed(&["postgres"], "postgresql")? else {
            return Ok(None);
        };
        Self::start(Kind::Postgres, program).map(Some)
    }

    /// The URL for clients.
    pub fn url(&self) -> String {
        match self.kind {
            Kind::Redis => format!("redis://127.0.0.1:{}", self.port),
            Kind::Postgres => format!("postgres://postgres@127.0.0.1:{}/postgres", self.port),
        }
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
        if self.kind == Kind::Postgres {
            // This signal also ends its child processes, which SIGKILL would not.
            signal(&process, "-QUIT")?;
        } else {
            process.kill()?;
        }
        process.wait()?;
        Ok(())
    }

    /// Starts it again after [`Server::kill`], on the same port. Redis has lost its data then.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.process = Some(self.run(self.port)?);
        Ok(())
    }

    /// Pauses its process, so that it accepts connections but never answers.
    ///
    /// # Errors
    ///
    /// If there is no such process.
    pub fn freeze(&self) -> Result<()> {
        signal(self.process.as_ref().context("it does not run")?, "-STOP")
    }

    /// Resumes it after [`Server::freeze`].
    ///
    /// # Errors
    ///
    /// If there is no such process.
    pub fn thaw(&self) -> Result<()> {
        signal(self.process.as_ref().context("it does not run")?, "-CONT")
    }

    fn start(kind: Kind, program: PathBuf) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        if let Some((user, group)) = substitute()? {
            chown(folder.path(), Some(user), Some(group))?;
        }
        let mut server = Self {
            kind,
            program,
            folder,
            port: 0,
            process: None,
        };
        if kind == Kind::Postgres {
            server.create_database()?;
        }
        // Another process may take the port before the server uses it.
        let mut last = None;
        for _ in 0..5 {
            server.port = free_port()?;
            match server.run(server.port) {
                Ok(process) => {
                    server.process = Some(process);
                    return Ok(server);
                }
                Err(error) => last = Some(error),
            }
        }
        bail!("{} does not start: {last:?}", server.program.display())
    }

    fn create_database(&self) -> Result<()> {
        let made = self
            .command(&self.program.with_file_name("initdb"))?
            .args([
                "--username=postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--no-sync",
                "--pgdata",
            ])
            .arg(self.folder.path().join("data"))
            .output()?;
        anyhow::ensure!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        Ok(())
    }

    /// Starts the process and waits until it accepts connections.
    fn run(&self, port: u16) -> Result<Child> {
        let mut command = self.command(&self.program)?;
        let port = port.to_string();
        match self.kind {
            Kind::Redis => command
                .args([
                    "--port",
                    &port,
                    "--bind",
                    "127.0.0.1",
                    "--save",
                    "",
                    "--appendonly",
                    "no",
                ])
                .arg("--dir")
                .arg(self.folder.path())
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
            Kind::Postgres => command
                .args([
                    "-p",
                    &port,
                    "-c",
                    "listen_addresses=127.0.0.1",
                    "-c",
                    "fsync=off",
                ])
                .args([
                    "-c",
                    "max_connections=200",
                    "-c",
                    "unix_socket_directories=",
                    "-D",
                ])
                .arg(self.folder.path().join("data"))
                .stdout(Stdio::null())
                .stderr(Stdio::piped()),
        };
        let mut process = command
            .spawn()
            .with_context(|| self.program.display().to_string())?;
        let lines: Box<dyn std::io::Read + Send> = match self.kind {
            Kind::Redis => Box::new(process.stdout.take().context("its output")?),
            Kind::Postgres => Box::new(process.stderr.take().context("its output")?),
        };
        let (ready, is_ready) = mpsc::channel();
        // Reads all of its output, as a full pipe would block the server.
        std::thread::spawn(move || {
            let mut said = Vec::new();
            for line in BufReader::new(lines).lines().map_while(Result::ok) {
                if line.to_lowercase().contains("ready to accept connections") {
                    let _ = ready.send(Ok(()));
                }
                if said.len() < 20 {
                    said.push(line);
                }
            }
            let _ = ready.send(Err(said.join("\n")));
        });
        match is_ready.recv_timeout(START_LIMIT) {
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

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self
            .process
            .as_ref()
            .map(|process| signal(process, "-CONT"));
        let _ = self.kill();
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

fn signal(process: &Child, signal: &str) -> Result<()> {
    let sent = Command::new("kill")
        .args([signal, &process.id().to_string()])
        .status()?;
    anyhow::ensure!(sent.success(), "kill {signal}: {sent}");
    Ok(())
}

/// The user of the servers. Postgres does not run as root, so its package's user is used instead.
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
        .context("no user to run servers as")?;
    let mut numbers = line.split(':').skip(2).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(user)), Some(Ok(group))) => Ok(Some((user, group))),
        _ => bail!("/etc/passwd has no numbers for {line}"),
    }
}

/// The first of `programs` that is installed. Debian installs those of Postgres in folders by version.
fn installed(programs: &[&str], package: &str) -> Result<Option<PathBuf>> {
    let versions = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    folders.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    let found = programs
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    match found.into_iter().find(|path| path.is_file()) {
        Some(program) => Ok(Some(program)),
        None if std::env::var_os(SKIP).is_some() => {
            eprintln!("SKIPPED: {} is not installed", programs.join(" or "));
            Ok(None)
        }
        None => bail!(
            "{} is not installed: `apt-get install {package}` (or set {SKIP}=1 to leave out what needs it)",
            programs.join(" or ")
        ),
    }
}
