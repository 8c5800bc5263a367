//! Serve: packets in, packets out. The hot wing.
//!
//! Owns:    sockets, batches, UDP on plain threads, TCP connections and their limits.
//! Imports: answer.
//! Never:   parses a message, allocates or blocks between receive and send.
//! Enter:   `udp`, then `batch` and `socket` (the only `unsafe`), then `tcp`.
