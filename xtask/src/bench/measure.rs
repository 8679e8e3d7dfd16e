//! Rounds of load, and what comes of them.
#![expect(clippy::cast_precision_loss, reason = "counts of requests and bytes, far below 2^52")]

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::client::{Connection, get, load, post, put};
use super::estate::{EMAIL, PASSWORD};
use super::process::Server;

/// A page that is measured.
pub(super) struct Page {
    pub(super) key: &'static str,
    pub(super) path: &'static str,
    pub(super) says: &'static str,
    pub(super) growth: f64,
}

/// One estate: Muster and the limit over the same file.
pub(super) struct Site {
    pub(super) agents: usize,
    pub(super) server: Server,
    pub(super) limit: Server,
    cookie: String,
    /// By page.
    pub(super) found: BTreeMap<&'static str, Samples>,
    /// Saving a matrix.
    pub(super) saving: Samples,
    /// The limit's, by page.
    pub(super) at_best: BTreeMap<&'static str, Samples>,
}

/// One figure a round.
#[derive(Default)]
pub(super) struct Samples {
    /// Milliseconds of the processor for a request, less `/healthz`.
    cpu: Vec<f64>,
    /// Requests in a second.
    rate: Vec<f64>,
    /// Milliseconds until the answer: the middle, and what 95 of 100 stay below.
    middle: Vec<f64>,
    p95: Vec<f64>,
}

impl Samples {
    pub(super) fn cpu(&self) -> f64 {
        median(&self.cpu)
    }

    pub(super) fn rate(&self) -> f64 {
        median(&self.rate)
    }

    pub(super) fn middle(&self) -> f64 {
        median(&self.middle)
    }

    pub(super) fn p95(&self) -> f64 {
        median(&self.p95)
    }
}

/// The middle of some figures, between the two middle ones if need be; 0 of none.
pub(super) fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len() / 2, sorted.len() % 2) {
        (0, 0) => 0.0,
        (half, 1) => sorted[half],
        (half, _) => f64::midpoint(sorted[half - 1], sorted[half]),
    }
}

impl Site {
    pub(super) fn new(agents: usize, server: Server, limit: Server) -> Result<Self> {
        let mut site = Self {
            agents,
            server,
            limit,
            cookie: String::new(),
            found: BTreeMap::new(),
            saving: Samples::default(),
            at_best: BTreeMap::new(),
        };
        site.cookie = sign_in(&site.server)?;
        Ok(site)
    }

    /// Several people sign in at the same moment.
    pub(super) fn sign_in_at_once(&self, how_many: usize) -> Result<()> {
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..how_many).map(|_| scope.spawn(|| sign_in(&self.server))).collect();
            for one in all {
                one.join().map_err(|_| anyhow::anyhow!("a sign-in's thread broke"))??;
            }
            Ok(())
        })
    }

    /// The most memory that Muster had resident.
    pub(super) fn peak(&self) -> Result<u64> {
        self.server.peak()
    }
}

/// Signs in, and answers the cookie.
fn sign_in(server: &Server) -> Result<String> {
    let body = format!("email={EMAIL}&password={PASSWORD}&next=/");
    let request = format!(
        "POST /login HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        server.address,
        body.len()
    );
    let answer = Connection::open(server.address)?.ask(&request)?;
    let cookie = answer.headers.get("set-cookie").and_then(|cookie| cookie.split(';').next());
    match (answer.status, cookie) {
        (303, Some(cookie)) => Ok(cookie.to_owned()),
        (status, _) => bail!("signing in was answered {status}"),
    }
}

/// Whoever measures becomes the business owner of every agent whose approval is asked: one in
/// twenty, so that as many decisions wait for them.
pub(super) fn decide(server: &Server) -> Result<()> {
    let mut connection = Connection::open(server.address)?;
    let cookie = sign_in(server)?;
    let found = connection.ask(&get("/api/v1/people?q=bench", &cookie, "identity"))?;
    let found: serde_json::Value = serde_json::from_slice(&found.body)?;
    let me = found["items"][0]["id"].as_str().context("nobody is called Bench")?;
    for tier in ["low", "moderate", "high", "critical"] {
        let path = format!("/api/v1/agents?state=proposed&tier={tier}&limit=1");
        let listed = connection.ask(&get(&path, &cookie, "identity"))?;
        let listed: serde_json::Value = serde_json::from_slice(&listed.body)?;
        if listed["items"].as_array().is_none_or(Vec::is_empty) {
            continue;
        }
        let body = serde_json::json!({
            "query": {"state": "proposed", "tier": tier}, "duty": "purpose", "party": me, "mode": "record",
            "reason": "measured",
        });
        let answer = connection.ask(&post("/api/v1/assignments", &cookie, &body.to_string()))?;
        if !(200..300).contains(&answer.status) {
            bail!("assigning is answered {}: {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
    }
    let counted = connection.ask(&get("/approvals", &cookie, "identity"))?;
    if !String::from_utf8_lossy(&counted.body).contains("Approval") {
        bail!("no decision waits for whoever measures");
    }
    Ok(())
}

/// Asks every server for every page in turn, again and again.
pub(super) fn rounds(
    sites: &mut [Site],
    pages: &[Page],
    rounds: usize,
    slice: Duration,
    connections: usize,
) -> Result<()> {
    for round in 0..=rounds {
        // The first round warms what is cold, and counts for nothing.
        let slice = if round == 0 { slice / 4 } else { slice };
        for page in pages {
            for site in &mut *sites {
                let has_limit = matches!(page.key, "inventory" | "filtered");
                let mut targets = vec![(&site.server, &mut site.found)];
                if has_limit {
                    targets.push((&site.limit, &mut site.at_best));
                }
                for (server, into) in targets {
                    let nothing = once(server, &get("/healthz", "", "identity"), slice / 3, connections)?;
                    let found = once(server, &get(page.path, &site.cookie, "identity"), slice, connections)
                        .with_context(|| format!("{} over {} agents", page.path, site.agents))?;
                    if round > 0 {
                        let samples = into.entry(page.key).or_default();
                        samples.cpu.push((found.cpu - nothing.cpu).max(0.0));
                        samples.rate.push(found.rate);
                        samples.middle.push(found.middle);
                        samples.p95.push(found.p95);
                    }
                }
            }
        }
        if round > 0 {
            println!("round {round} of {rounds}");
        }
    }
    Ok(())
}

/// Saves the matrices of some agents, one after the other: a letter more in one round, a
/// letter less in the next.
pub(super) fn saves(sites: &mut [Site], rounds: usize, count: usize) -> Result<()> {
    for round in 0..=rounds {
        for site in &mut *sites {
            let mut connection = Connection::open(site.server.address)?;
            let mut requests = Vec::with_capacity(count);
            for agent in active(&mut connection, &site.cookie, count)? {
                let path = format!("/api/v1/agents/{agent}/raci");
                let read = connection.ask(&get(&path, &site.cookie, "identity"))?;
                if read.status != 200 {
                    bail!("{path} is answered {}", read.status);
                }
                let etag = read.headers.get("etag").context("a matrix without a version")?;
                requests.push(put(&path, &site.cookie, etag, &changed(&read.body)?));
            }
            let before = site.server.used()?;
            let mut times = Vec::with_capacity(count);
            for request in &requests {
                let asked = std::time::Instant::now();
                let answer = connection.ask(request)?;
                times.push(asked.elapsed().as_secs_f64() * 1e3);
                if answer.status != 200 {
                    bail!("saving is answered {}: {}", answer.status, String::from_utf8_lossy(&answer.body));
                }
            }
            if round > 0 {
                let used = site.server.used()?.saturating_sub(before);
                times.sort_by(f64::total_cmp);
                site.saving.cpu.push(used.as_secs_f64() * 1e3 / count as f64);
                site.saving.middle.push(median(&times));
                site.saving.p95.push(times[(times.len() - 1) * 95 / 100]);
                site.saving.rate.push(1e3 * count as f64 / times.iter().sum::<f64>());
            }
        }
    }
    Ok(())
}

/// The first active agents: the matrix of a retired one is closed.
fn active(connection: &mut Connection, cookie: &str, count: usize) -> Result<Vec<String>> {
    let answer = connection.ask(&get(&format!("/api/v1/agents?state=active&limit={count}"), cookie, "identity"))?;
    let list: serde_json::Value = serde_json::from_slice(&answer.body)?;
    let ids: Vec<String> =
        list["items"].as_array().into_iter().flatten().filter_map(|a| a["id"].as_str()).map(str::to_owned).collect();
    if ids.len() < count {
        bail!("fewer than {count} agents are active");
    }
    Ok(ids)
}

/// The matrix with one letter more, or less when it has it.
fn changed(read: &[u8]) -> Result<String> {
    let mut matrix: serde_json::Value = serde_json::from_slice(read)?;
    let cells = matrix["cells"].as_array_mut().context("a matrix without cells")?;
    let more = |c: &serde_json::Value| c["duty"] == "improvement" && c["party"] == "PE-1" && c["role"] == "C";
    match cells.iter().position(more) {
        Some(at) => drop(cells.remove(at)),
        None => cells.push(serde_json::json!({"duty": "improvement", "party": "PE-1", "role": "C"})),
    }
    matrix["reason"] = "measured".into();
    Ok(matrix.to_string())
}

struct Once {
    cpu: f64,
    rate: f64,
    middle: f64,
    p95: f64,
}

/// So many requests as fill about the slice of time.
fn once(server: &Server, request: &str, slice: Duration, connections: usize) -> Result<Once> {
    let try_out = load(server.address, request, connections, connections * 4)?;
    let each = try_out.wall.as_secs_f64() / try_out.times.len().max(1) as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a small number")]
    let count = (slice.as_secs_f64() / each.max(1e-6)).clamp(64.0, 60_000.0) as usize;
    let before = server.used()?;
    let done = load(server.address, request, connections, count)?;
    let used = server.used()?.saturating_sub(before);
    let asked = done.times.len() as f64;
    let at = |share: f64| -> f64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a position in a list")]
        let at = ((asked - 1.0) * share) as usize;
        done.times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    Ok(Once {
        cpu: used.as_secs_f64() * 1e3 / asked,
        rate: asked / done.wall.as_secs_f64(),
        middle: at(0.5),
        p95: at(0.95),
    })
}

/// What a browser fetches for the first page after signing in, compressed as it asks.
pub(super) struct First {
    /// Each address and its bytes over the wire.
    pub(super) parts: Vec<(String, usize)>,
}

impl First {
    pub(super) fn load(site: &Site) -> Result<Self> {
        let mut connection = Connection::open(site.server.address)?;
        let encoding = "gzip, deflate, br, zstd";
        let page = connection.ask(&get("/", &site.cookie, encoding))?;
        let plain = connection.ask(&get("/", &site.cookie, "identity"))?;
        let text = String::from_utf8(plain.body)?;
        let mut parts = vec![("/".to_owned(), page.bytes)];
        // Everything it links or preloads; fonts for other scripts are fetched when needed.
        let mut rest = text.as_str();
        while let Some((_, after)) = rest.split_once("href=\"/pkg/") {
            let (name, after) = after.split_once('"').context("an attribute without an end")?;
            rest = after;
            let path = format!("/pkg/{name}");
            if parts.iter().all(|(known, _)| *known != path) {
                let part = connection.ask(&get(&path, &site.cookie, encoding))?;
                if part.status != 200 {
                    bail!("{path} is answered {}", part.status);
                }
                parts.push((path, part.bytes));
            }
        }
        Ok(Self { parts })
    }

    pub(super) fn bytes(&self) -> usize {
        self.parts.iter().map(|(_, bytes)| bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(&[]).abs() < 1e-9);
    }
}
