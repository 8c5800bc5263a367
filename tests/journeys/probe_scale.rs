//! `homing probe` looks at 10,000 endpoints every 10 s: none is left out, and a region that dies is told within two intervals.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::EUROPE;
use super::scale::{self, FULL, INTERVAL};
use super::support::{Vantage, within};

/// Takes connections on every address of loopback, and ends them. Dropped, it takes none.
struct Anywhere {
    port: u16,
    is_over: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Anywhere {
    fn start() -> Anywhere {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let accepting =
            thread::spawn(
                move || while listener.accept().is_ok() && !over.load(Ordering::SeqCst) {},
            );
        Anywhere { port, is_over, accepting: Some(accepting) }
    }
}

impl Drop for Anywhere {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // So that the thread looks.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

fn probes(fra: &Anywhere, others: &Anywhere) -> String {
    let mut text = format!(
        "[probe]\nkind = \"tcp\"\ninterval = \"{}s\"\ntimeout = \"1s\"\nheartbeat = \"{0}s\"\n",
        INTERVAL.as_secs()
    );
    for subject in scale::subjects() {
        let address = subject.rsplit("/10.").next().unwrap();
        let port = if subject.starts_with("fra/") { fra.port } else { others.port };
        text += &format!(
            "[[endpoints]]\nsubjects = [\"{subject}\"]\nat = \"127.{address}\"\nport = {port}\n"
        );
    }
    text
}

#[test]
fn a_vantage_looks_at_ten_thousand_endpoints_every_interval() {
    let server = scale::server();
    let count = scale::subjects().len();
    let (fra, others) = (Anywhere::start(), Anywhere::start());
    let begun = Instant::now();
    let vantage = Vantage::start(&[server.api], &probes(&fra, &others));
    let words = |up: usize, down: usize| {
        let wanted = [("up", up), ("down", down)];
        let wanted =
            wanted.map(|(word, n)| format!("homing_probe_words{{status=\"{word}\"}} {n}\n"));
        within(INTERVAL * 6, &format!("{up} up, {down} down"), || {
            let metrics = vantage.metrics();
            if wanted.iter().all(|line| metrics.contains(line)) { Ok(()) } else { Err(metrics) }
        });
    };
    words(count, 0);
    let first = begun.elapsed();
    let costs = || [scale::cost(vantage.process()), scale::cost(server.process())];
    // Every opinion is formed; from here on words only repeat.
    thread::sleep(INTERVAL * 2);
    let (before, settled) = (costs(), Instant::now());
    thread::sleep(INTERVAL * 2);
    let after = costs();
    let of_core = |n: usize| (after[n].1 - before[n].1) / settled.elapsed().as_secs_f64() * 100.0;
    let died = Instant::now();
    drop(fra);
    words(count / 2, count / 2);
    let told = died.elapsed();
    let ashburn = scale::ashburn();
    within(INTERVAL * 6, "Ashburn answers for Frankfurt", || {
        let found = server.addresses("geo.example.test", EUROPE);
        let is_right = !found.is_empty() && found.iter().all(|a| ashburn.contains(a));
        is_right.then_some(()).ok_or_else(|| format!("{found:?}"))
    });
    println!(
        "{count} endpoints every {INTERVAL:?}, full {FULL}: all seen after {first:?}; the vantage takes {:.1} % of a core and \
         {} MB, the server {:.1} % and {} MB; half died: seen after {told:?}, answered after {:?}",
        of_core(0),
        after[0].0 / 1024,
        of_core(1),
        after[1].0 / 1024,
        died.elapsed(),
    );
    let looks: f64 = (vantage.metrics().lines())
        .filter(|line| line.starts_with("homing_probe_looks_total{kind=\"tcp\""))
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum();
    let rounds = begun.elapsed().as_secs_f64() / INTERVAL.as_secs_f64();
    assert!(looks >= count as f64 * (rounds - 2.0), "{looks} looks in {rounds:.1} rounds");
}
