//! Whether this server answers: it asks itself over its own sockets, all the time.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};

/// Unanswered for this long, the server is not ready (DESIGN rule 4.6).
const UNANSWERED_MAX: Duration = Duration::from_secs(3);

/// How often it asks.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// A query for CH TXT id.server (RFC 4892 §2): every state of files answers it. The id comes first.
const QUERY: &[u8] =
    b"\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02id\x06server\x00\x00\x10\x00\x03";

/// When each socket last answered.
#[derive(Clone, Debug)]
pub struct Ready {
    begun: Instant,
    sockets: Arc<[Asked]>,
}

#[derive(Debug)]
struct Asked {
    /// Where it listens.
    address: SocketAddr,
    /// Milliseconds from `begun` to the last answer; 0 before the first.
    answered: AtomicU64,
}

impl Ready {
    /// Asks the server at `listen`, for as long as the runtime lives. Call it within the runtime.
    pub fn start(listen: &[SocketAddr]) -> Ready {
        let asked = |&address| Asked { address, answered: AtomicU64::new(0) };
        let ready = Ready { begun: Instant::now(), sockets: listen.iter().map(asked).collect() };
        for i in 0..ready.sockets.len() {
            let ready = ready.clone();
            tokio::spawn(async move {
                let mut id = 0u16;
                loop {
                    id = id.wrapping_add(1);
                    ready.ask(i, id).await;
                    sleep(ASK_EVERY).await;
                }
            });
        }
        ready
    }

    /// The sockets that have not answered for three seconds.
    pub fn silent(&self) -> Vec<SocketAddr> {
        let now = self.begun.elapsed();
        let is_silent = |asked: &&Asked| {
            let answered = asked.answered.load(Ordering::Relaxed);
            answered == 0 || now.saturating_sub(Duration::from_millis(answered)) > UNANSWERED_MAX
        };
        self.sockets.iter().filter(is_silent).map(|asked| asked.address).collect()
    }

    async fn ask(&self, i: usize, id: u16) {
        let Some(asked) = self.sockets.get(i) else { return };
        if let Ok(Ok(())) = timeout(UNANSWERED_MAX, question(asked.address, id)).await {
            let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            asked.answered.store(now.max(1), Ordering::Relaxed);
        }
    }
}

/// One question, and the wait for its answer.
async fn question(listen: SocketAddr, id: u16) -> Result<(), std::io::Error> {
    let to = SocketAddr::new(reachable(listen.ip()), listen.port());
    let from: IpAddr =
        if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((from, 0)).await?;
    socket.connect(to).await?;
    let mut query = QUERY.to_vec();
    query.splice(..2, id.to_be_bytes());
    socket.send(&query).await?;
    let mut response = [0; 1232];
    loop {
        let len = socket.recv(&mut response).await?;
        // Our id and the QR bit: it is the answer, whatever it says.
        if len >= 12 && response[..2] == id.to_be_bytes() && response[2] & 0x80 != 0 {
            return Ok(());
        }
    }
}

/// Where a socket bound to `address` is reached from here: a wildcard by loopback.
fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) if v4.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(v6) if v6.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_socket_that_answers_is_ready_and_one_that_does_not_is_silent() {
        let server = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = server.local_addr().unwrap();
        let deaf = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let ready = Ready::start(&[address, deaf.local_addr().unwrap()]);
        assert_eq!(ready.silent().len(), 2);
        let mut request = [0; 64];
        let (len, from) = server.recv_from(&mut request).await.unwrap();
        request[2] |= 0x80;
        server.send_to(&request[..len], from).await.unwrap();
        let heard = async {
            while ready.silent().len() == 2 {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(5), heard).await.unwrap();
        assert_eq!(ready.silent(), [deaf.local_addr().unwrap()]);
    }
}
