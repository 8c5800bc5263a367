//! Ask: why an answer is what it is. Questions about a state of the world, answered by the code that serves it.
//!
//! Owns:    scenes (a state to ask about), the explanation of one answer, the difference of two states, worlds that are
//!          supposed, who gets which region over the whole world, what is known of one address, whose weight counts.
//! Imports: load, answer, route, geo, zone, api, health, trace, diagnostic.
//! Never:   answers by a second implementation, changes anything, runs on the query path.
//! Enter:   `scene`, then `inquiry`, `explain`, `words`, `routed`, `reasons`; `diff`, then `steering`, `moves`, `overlap`,
//!          `geography`; `suppose`, then `whatif`, `predict`; `coverage`, then `tally`; `lookup`; `weigh`. All that counts
//!          addresses walks `lanes`.

mod coverage;
mod diff;
mod explain;
mod extent;
mod geography;
mod inquiry;
mod lanes;
mod listener;
mod loads;
mod lookup;
mod moves;
mod overlap;
mod place;
mod predict;
mod reasons;
mod routed;
mod scene;
mod steering;
mod suppose;
mod tally;
mod weigh;
mod whatif;
mod words;

pub use coverage::{Coverage, CoverageError, Endpoints};
pub use diff::{Side, diff};
pub use explain::{Explanation, explain, explain_with};
pub use inquiry::{Inquiry, InquiryError};
pub use lookup::look;
pub use scene::Scene;
pub use suppose::{Supposed, Unthinkable, suppose};
pub use weigh::{ClassAreas, WEIGHTS_FILE, places_body, tally_of, weigh, weights_body};
pub use whatif::whatif;

pub use crate::geo::Tally;
