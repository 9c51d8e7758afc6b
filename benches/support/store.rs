//! A slow HTTP store, in a process of its own: a latency before each answer, and a rate for each
//! connection.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Result, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// The variable that makes this program serve a folder.
const FOLDER: &str = "CSV_STREAM_BENCH_SERVE";

/// The path whose body is the number of requests and bytes since it was last requested.
const COUNTS: &str = "/counts";

/// Bytes that are written at once.
const PIECE_BYTES: usize = 64 << 10;

/// A running store.
pub(crate) struct Store {
    process: Child,
    port: u16,
}

/// The requests and bytes of one run.
pub(crate) struct Counts {
    pub(crate) requests: u64,
    pub(crate) bytes: u64,
}

impl Store {
    /// Starts a store of the files in a folder. `rate` is in bytes a second.
    pub(crate) fn start(folder: &Path, latency: Duration, rate: u64) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args([latency.as_millis().to_string(), rate.to_string()])
            .env(FOLDER, folder)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("it is piped")).read_line(&mut line)?;
        Ok(Store { process, port: line.trim().parse().expect("a port") })
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://127.0.0.1:{}/{name}", self.port)
    }

    /// The requests and bytes since the last call.
    pub(crate) fn take_counts(&self) -> Result<Counts> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        write!(stream, "GET {COUNTS} HTTP/1.1\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let body = answer.rsplit("\r\n\r\n").next().expect("a body");
        let mut counts = body.split(' ').map(|count| count.parse().expect("a count"));
        Ok(Counts { requests: counts.next().expect("requests"), bytes: counts.next().expect("bytes") })
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Serves, and never returns, if this process was started as a store.
pub(crate) fn serve_if_started() -> Result<()> {
    let Some(folder) = std::env::var_os(FOLDER) else { return Ok(()) };
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse().expect("a number"));
    let latency = Duration::from_millis(arguments.next().expect("a latency"));
    let rate = arguments.next().expect("a rate");
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("{}", listener.local_addr()?.port());
    let server = Arc::new(Server {
        folder: folder.into(),
        latency,
        rate,
        requests: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
    });
    for stream in listener.incoming() {
        let (stream, server) = (stream?, Arc::clone(&server));
        // A client may disconnect at any time.
        thread::spawn(move || server.serve(stream));
    }
    Ok(())
}

struct Server {
    folder: PathBuf,
    latency: Duration,
    rate: u64,
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl Server {
    fn serve(&self, mut stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let mut lines = BufReader::new(stream.try_clone()?);
        loop {
            let (mut first, mut range) = (String::new(), None);
            if lines.read_line(&mut first)? == 0 {
                return Ok(());
            }
            loop {
                let mut line = String::new();
                lines.read_line(&mut line)?;
                let line = line.trim().to_ascii_lowercase();
                match line.split_once(": ") {
                    Some(("range", bytes)) => range = Some(bytes.to_owned()),
                    Some(_) => (),
                    None => break,
                }
            }
            let mut words = first.split(' ');
            let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            if path == COUNTS {
                let body = format!("{} {}", self.requests.swap(0, Relaxed), self.bytes.swap(0, Relaxed));
                return write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            }
            self.requests.fetch_add(1, Relaxed);
            thread::sleep(self.latency);
            self.answer(&mut stream, method, path, range.as_deref())?;
        }
    }

    fn answer(&self, stream: &mut TcpStream, method: &str, path: &str, range: Option<&str>) -> Result<()> {
        let mut file = File::open(self.folder.join(path.trim_start_matches('/')))?;
        let size = file.metadata()?.len();
        let bounds = range.and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
        let (start, end) = match bounds {
            Some((first, last)) => {
                let end = last.parse().map_or(size, |last: u64| (last + 1).min(size));
                (first.parse().unwrap_or(0), end)
            }
            None => (0, size),
        };
        let status = if bounds.is_some() { "206 Partial Content" } else { "200 OK" };
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nContent-Range: bytes {start}-{}/{size}\r\nAccept-Ranges: \
             bytes\r\nETag: \"{size:x}\"\r\nLast-Modified: Wed, 21 Oct 2026 07:28:00 GMT\r\n\r\n",
            end - start,
            end - 1
        )?;
        if method != "GET" {
            return Ok(());
        }
        file.seek(SeekFrom::Start(start))?;
        let (mut piece, mut sent, started) = (vec![0; PIECE_BYTES], 0, Instant::now());
        while sent < end - start {
            let length = (end - start - sent).min(PIECE_BYTES as u64) as usize;
            file.read_exact(&mut piece[..length])?;
            stream.write_all(&piece[..length])?;
            sent += length as u64;
            self.bytes.fetch_add(length as u64, Relaxed);
            let due = Duration::from_secs_f64(sent as f64 / self.rate as f64);
            thread::sleep(due.saturating_sub(started.elapsed()));
        }
        Ok(())
    }
}
