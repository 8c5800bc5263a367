//! A look at a TCP port: it takes a connection (RFC 9293 §3.5).

use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::fault::Fault;

/// Connects; dropped, the connection is closed.
pub async fn connect(to: SocketAddr) -> Result<TcpStream, Fault> {
    let stream = TcpStream::connect(to).await.map_err(|e| Fault::of(&e))?;
    // A request leaves at once; without it, only later.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}
