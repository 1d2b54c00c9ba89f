//! How much memory a download of 1 GiB takes, over a loopback connection.
//!
//! `cargo bench -p upvest-ext --bench download`. Fails if the peak is 20 MiB or more above the idle process. The server
//! is a process of its own, so that its memory is not counted.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use upvest_ext::{Environment, Upvest};

const LENGTH: u64 = 1 << 30;
const ALLOWED_KIB: u64 = 20 * 1024;
const SERVER: &str = "UPVEST_BENCH_SERVER";

fn main() -> ExitCode {
    if std::env::var_os(SERVER).is_some() {
        serve();
        return ExitCode::SUCCESS;
    }
    let Some(idle) = status("VmRSS:") else {
        println!("memory is only measured where /proc/self/status tells it");
        return ExitCode::SUCCESS;
    };
    let mut server = Command::new(std::env::current_exe().unwrap())
        .env(SERVER, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut address = [0; 5];
    server
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut address)
        .unwrap();
    let port = String::from_utf8_lossy(&address).trim().to_owned();
    let started = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(download(&port));
    let elapsed = started.elapsed();
    server.kill().unwrap();
    server.wait().unwrap();
    let above = status("VmHWM:").unwrap().saturating_sub(idle);
    println!(
        "1 GiB in {elapsed:.2?}; idle {idle} KiB; peak {above} KiB above it, {ALLOWED_KIB} KiB allowed"
    );
    if above < ALLOWED_KIB {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

async fn download(port: &str) {
    let url = format!("http://127.0.0.1:{port}").parse().unwrap();
    let upvest = Upvest::builder(Environment::Custom(url))
        .credentials("id", "secret")
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let file = "5e2ad7a4-7d5c-4b3f-9f0a-5a3c2f0f6d11";
    let file = upvest.retrieve_file().file_id(file).send().await.unwrap();
    assert_eq!(file.into_inner().write_to(&path).await.unwrap(), LENGTH);
    assert_eq!(std::fs::metadata(&path).unwrap().len(), LENGTH);
}

/// A line of `/proc/self/status`, in KiB.
fn status(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| {
        line.strip_prefix(name)?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    })
}

/// Answers token requests with a token, and all other requests with 1 GiB that is generated on the fly.
fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    print!("{:5}", listener.local_addr().unwrap().port());
    std::io::stdout().flush().unwrap();
    for stream in listener.incoming() {
        std::thread::spawn(move || answer(stream.unwrap()));
    }
}

fn answer(mut stream: TcpStream) {
    let mut request = [0; 8192];
    let count = stream.read(&mut request).unwrap();
    if request[..count].starts_with(b"POST /auth/token") {
        let token = r#"{"access_token":"a-token","expires_in":86400}"#;
        let head = format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{token}",
            token.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        return;
    }
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: {LENGTH}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = vec![7; 1 << 20];
    for _ in 0..LENGTH >> 20 {
        stream.write_all(&chunk).unwrap();
    }
}
