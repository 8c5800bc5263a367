//! Generations: published states of files, kept by content, so that one can be read again.
//!
//! ```text
//! generations/0000000042.json   the manifest: number, time, cause, digest, root
//! packs/0000000017.pack         objects, named by their hash: nodes of the tree of paths, contents, chunks of contents
//! ```
//!
//! A manifest names the root of a tree of content hashes by path. What two generations share is kept once, so one
//! changed record of a large zone among many costs a chunk, the list of chunks, and one path of the tree.
//! Invariant objects-before-manifest: a manifest stands only when all it leads to is durable, and goes before that does.
//! So a process killed at any step leaves whole generations, and litter that the next start removes.

mod archive;
mod chunk;
mod legacy;
mod manifest;
mod node;
mod pack;
mod prune;
mod store;
mod tree;

pub use archive::{Archive, Restored};
pub use manifest::{Cause, Entry, Tally};
pub use prune::Limits;
pub use store::Store;
pub use tree::Change;

#[cfg(test)]
mod tests;
