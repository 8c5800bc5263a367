//! A difference as text: whom it is between, zones, steering.

use crate::api::DiffBody;

use super::changes::{self, Extent};
use super::movement;
use super::paint::{Colour, Paint};
use super::shift;

/// All of it.
pub fn text(diff: &DiffBody, extent: Extent, paint: Paint) -> String {
    let names = format!("--- {}\n+++ {}", diff.old.name, diff.new.name);
    let mut out = paint.text(Colour::Bold, &names);
    out.push('\n');
    for note in &diff.notes {
        out.push_str(&paint.text(Colour::Yellow, &format!("note: {note}")));
        out.push('\n');
    }
    out.push_str(&body(diff, extent, paint));
    out
}

/// What differs, without the names of the sides.
pub fn body(diff: &DiffBody, extent: Extent, paint: Paint) -> String {
    let mut out = String::new();
    changes::text(diff, extent, paint, &mut out);
    if let Some(change) = &diff.geography {
        shift::text(change, extent, paint, &mut out);
    }
    movement::text(&diff.steering, extent, paint, &mut out);
    if !diff.differs && diff.geography.is_some() {
        out.push_str("no client moves, under any policy\n");
    } else if !diff.differs {
        out.push_str(&match diff.files.len() {
            0 => "nothing differs\n".to_owned(),
            1 => "1 file differs, in nothing that is served\n".to_owned(),
            count => format!("{count} files differ, in nothing that is served\n"),
        });
    }
    out
}
