//! Ask: why an answer is what it is. Questions about a state of the world, answered by the code that serves it.
//!
//! Owns:    scenes (a state to ask about) and the explanation of one answer.
//! Imports: load, answer, route, geo, zone, health, trace, diagnostic.
//! Never:   answers by a second implementation, changes anything, runs on the query path.
//! Enter:   `scene`, then `inquiry`, `explain`, `words`.

mod explain;
mod inquiry;
mod listener;
mod scene;
mod words;

pub use explain::{Explanation, explain};
pub use inquiry::{Inquiry, InquiryError};
pub use scene::Scene;
