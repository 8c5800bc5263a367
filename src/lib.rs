//! `homing`: an anycast-aware authoritative DNS server.
//!
//! Anycast carries the *question* to the nearest site; `homing` answers with the router of the nearest healthy
//! *region*. Every site runs the same binary on the same state and gives the same bytes.
//!
//! # Rooms and floors
//!
//! A folder here is a *room*; imports run down only, and `tests/house.rs` holds them to it.
//!
//! ```text
//! 8                  main
//! 7        control        cli              who decides | who asks
//! 6              ask                       why an answer is what it is
//! 5  serve   load   history   probe        hot wing | cold wing | memory | eyes
//! 4             answer                     where the wings meet: the snapshot
//! 3             route
//! 2     zone     geo     api
//! 1  wire   health   diagnostic   trace
//! 0  number   reason   alarm   fileset     nouns that every floor speaks
//! ```
//!
//! # Journeys
//!
//! - A query: [`serve`] takes a batch, [`answer::respond`] makes one response of one request, `serve` sends.
//! - A file: [`load`] reads, checks and compiles; the hub in [`control`] composes the parts into a snapshot.
//! - A way back: [`history`] hands `load` the files of then; the rest is as with a file, and a pin keeps it so.
//! - A report: [`control`] takes it, [`history`] makes it durable, [`health`] folds it, [`route`] fills the table.
//! - A look: [`probe`] asks an endpoint how it is; whoever runs it makes a report of what is new.
//! - A question why: [`ask`] has the query path answer with somebody listening, and tells the steps.
//!
//! Begin with [`answer::respond`], then [`load`], then [`control`].

pub mod alarm;
pub mod answer;
pub mod api;
pub mod ask;
pub mod cli;
pub mod control;
pub mod diagnostic;
pub mod fileset;
pub mod geo;
pub mod health;
pub mod history;
pub mod load;
pub mod number;
pub mod probe;
pub mod reason;
pub mod route;
pub mod serve;
pub mod trace;
pub mod wire;
pub mod zone;
