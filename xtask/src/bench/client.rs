//! A browser's HTTP/1.1 in as little as measuring needs: keep-alive connections that ask
//! for one address again and again, each on a thread of its own.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Nothing that is measured takes nearly so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection.
pub(super) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What was answered.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Vec<u8>,
    /// Head and body, as they came over the wire.
    pub(super) bytes: usize,
}

impl Connection {
    pub(super) fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, buffer: vec![0; 128 * 1024] })
    }

    /// Sends a request and reads its answer into the buffer. Answers the status, where the
    /// body begins and where it ends.
    fn exchange(&mut self, request: &[u8]) -> Result<(u16, usize, usize)> {
        self.stream.write_all(request)?;
        let mut used = 0;
        let mut head = None;
        loop {
            if used == self.buffer.len() {
                self.buffer.resize(used * 2, 0);
            }
            let n = self.stream.read(&mut self.buffer[used..])?;
            used += n;
            let so_far = &self.buffer[..used];
            if n == 0 {
                bail!("the server closed the connection");
            }
            if head.is_none() {
                let Some(at) = find(so_far, b"\r\n\r\n") else { continue };
                head = Some((at + 4, read_head(&so_far[..at])?));
            }
            if let Some((start, (status, length))) = head {
                let end = match length {
                    Length::Known(length) => start + length,
                    Length::Chunked if so_far.ends_with(b"0\r\n\r\n") => used,
                    Length::Chunked => continue,
                };
                if used >= end {
                    return Ok((status, start, end));
                }
            }
        }
    }

    /// One request, its answer whole.
    pub(super) fn ask(&mut self, request: &str) -> Result<Answer> {
        let (status, start, end) = self.exchange(request.as_bytes())?;
        let head = String::from_utf8_lossy(&self.buffer[..start]).into_owned();
        let headers = head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Ok(Answer { status, headers, body: self.buffer[start..end].to_vec(), bytes: end })
    }
}

#[derive(Clone, Copy)]
enum Length {
    Known(usize),
    Chunked,
}

fn read_head(head: &[u8]) -> Result<(u16, Length)> {
    let text = std::str::from_utf8(head).context("the head of an answer is no text")?;
    let status = text.get(9..12).and_then(|code| code.parse().ok()).context("an answer without a status")?;
    for line in text.lines().skip(1) {
        let Some((name, value)) = line.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("content-length") {
            return Ok((status, Length::Known(value.trim().parse()?)));
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return Ok((status, Length::Chunked));
        }
    }
    Ok((status, Length::Known(0)))
}

fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}

/// A GET of a path, as a browser with this cookie asks.
pub(super) fn get(path: &str, cookie: &str, encoding: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nAccept-Encoding: {encoding}\r\n\r\n")
}

/// A POST of JSON to a path.
pub(super) fn post(path: &str, cookie: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A PUT of JSON to a path, for the version that was read.
pub(super) fn put(path: &str, cookie: &str, etag: &str, body: &str) -> String {
    format!(
        "PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\nIf-Match: {etag}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// What a load did.
pub(super) struct Load {
    /// How long each request took, in order.
    pub(super) times: Vec<Duration>,
    pub(super) wall: Duration,
}

/// Asks for the same thing `count` times over `connections` connections, each of which asks
/// again as soon as it is answered.
pub(super) fn load(address: SocketAddr, request: &str, connections: usize, count: usize) -> Result<Load> {
    let left = AtomicUsize::new(count);
    let mut open = (0..connections).map(|_| Connection::open(address)).collect::<Result<Vec<_>>>()?;
    let began = Instant::now();
    let times = std::thread::scope(|scope| -> Result<Vec<Duration>> {
        let threads: Vec<_> = open.iter_mut().map(|one| scope.spawn(|| again(one, request, &left))).collect();
        let mut times = Vec::with_capacity(count);
        for thread in threads {
            times.extend(thread.join().map_err(|_| anyhow::anyhow!("a connection's thread broke"))??);
        }
        Ok(times)
    });
    let wall = began.elapsed();
    let mut times = times?;
    times.sort_unstable();
    Ok(Load { times, wall })
}

fn again(connection: &mut Connection, request: &str, left: &AtomicUsize) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok() {
        let asked = Instant::now();
        let (status, ..) = connection.exchange(request.as_bytes())?;
        times.push(asked.elapsed());
        if status != 200 {
            bail!("answered {status} to {}", request.lines().next().unwrap_or_default());
        }
    }
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_how_much_follows() {
        let (status, length) = read_head(b"HTTP/1.1 200 OK\r\nContent-Length: 12").unwrap();
        assert!(status == 200 && matches!(length, Length::Known(12)));
        let (status, length) = read_head(b"HTTP/1.1 303 See Other\r\ntransfer-encoding: chunked").unwrap();
        assert!(status == 303 && matches!(length, Length::Chunked));
        assert!(read_head(b"hello").is_err());
    }
}
