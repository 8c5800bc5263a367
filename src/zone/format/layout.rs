//! Rows into lines: the columns of a block, comments under each other, long records folded.
//!
//! Owns: every width. A block is what stands together: records, or directives, without a blank line or a line of comment
//!       between them. Widths come from the block alone and in steps, so that an edit moves few other lines.

use super::record::{Body, Remark, Row, Word, broken, width};
use super::source::Note;

/// Columns of a line that are not exceeded where a record can be folded.
const LINE_COLUMNS: usize = 100;
/// The owner's column is a multiple of this: most edits fit without moving the other lines.
const OWNER_STEP: usize = 8;
/// A longer owner does not move the others: what follows it follows after one space.
const OWNER_COLUMNS_MAX: usize = 31;
/// The least columns of a TTL, so that 300 may become 86400 for a day.
const TTL_COLUMNS_MIN: usize = 5;
/// The least columns of a type: CNAME and HTTPS.
const TYPE_COLUMNS_MIN: usize = 5;
/// A longer type does not move the others either: `DNSKEY` still does, `NSEC3PARAM` not.
const TYPE_COLUMNS_MAX: usize = 6;
/// Folded lines begin under the rdata, or if that is further right than this, at `INDENT_DEEP`: left of all columns but
/// the owner's, so that none looks like a record without an owner.
const INDENT_MAX: usize = 44;
const INDENT_DEEP: usize = 16;
/// A longer line does not move the comments of the others: its own follows after one space.
const COMMENTED_COLUMNS_MAX: usize = 72;

/// Lines that stand together, as they come.
pub(super) enum Block {
    /// Records.
    Rows(Vec<Piece<Row>>),
    /// Directives, each as text.
    Directives(Vec<Piece<(Word, Vec<Note>)>>),
}

/// A member of a block, or a comment that goes on with that of the line above.
pub(super) enum Piece<T> {
    /// A member.
    Member(T),
    /// A comment under a comment.
    Under(Note),
}

/// Whether records are written with their class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClassStyle {
    /// `IN`.
    Written,
    /// Nothing.
    LeftOut,
}

/// A line as far as its comment.
struct Drawn {
    text: Vec<u8>,
    note: Remark,
    /// Whether its comment lines up with those of its neighbours.
    is_aligned: bool,
}

/// Writes `block` to `out`.
pub(super) fn draw(block: Block, class: ClassStyle, text: &[u8], out: &mut Vec<u8>) {
    let drawn = match block {
        Block::Directives(pieces) => draw_directives(pieces),
        Block::Rows(pieces) => {
            let columns = Columns::of(&pieces, class);
            let mut drawn = Vec::with_capacity(pieces.len());
            for piece in pieces {
                match piece {
                    Piece::Under(note) => drawn.push(Drawn::under(note)),
                    Piece::Member(row) => draw_row(row, &columns, text, &mut drawn),
                }
            }
            drawn
        }
    };
    write_lines(&drawn, 0, text, out);
}

fn draw_directives(pieces: Vec<Piece<(Word, Vec<Note>)>>) -> Vec<Drawn> {
    let mut drawn = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Under(note) => drawn.push(Drawn::under(note)),
            Piece::Member((text, notes)) => {
                let mut notes = notes.into_iter();
                let note = notes.next().map_or(Remark::None, Remark::Written);
                drawn.push(Drawn { text, note, is_aligned: true });
                // A directive within parentheses may hold more than one.
                drawn.extend(notes.map(Drawn::under));
            }
        }
    }
    drawn
}

/// Where the columns of a block begin.
struct Columns {
    owner: usize,
    ttl: usize,
    class: ClassStyle,
    rtype: usize,
}

impl Columns {
    fn of(pieces: &[Piece<Row>], class: ClassStyle) -> Columns {
        let rows = || {
            pieces.iter().filter_map(|piece| match piece {
                Piece::Member(row) => Some(row),
                Piece::Under(_) => None,
            })
        };
        let owner = widest(rows().map(|row| width(&row.owner)), OWNER_COLUMNS_MAX);
        let ttl = rows().map(|row| width(&row.ttl)).max().unwrap_or(0);
        let rtype = widest(rows().map(|row| width(&row.rtype)), TYPE_COLUMNS_MAX);
        Columns {
            owner: (owner + 1).next_multiple_of(OWNER_STEP),
            ttl: if ttl == 0 { 0 } else { ttl.max(TTL_COLUMNS_MIN) + 1 },
            class,
            rtype: rtype.max(TYPE_COLUMNS_MIN) + 1,
        }
    }

    /// Where the rdata begins.
    fn rdata(&self) -> usize {
        self.owner + self.ttl + self.class_columns() + self.rtype
    }

    fn class_columns(&self) -> usize {
        match self.class {
            ClassStyle::Written => "IN ".len(),
            ClassStyle::LeftOut => 0,
        }
    }

    fn head(&self, row: &Row) -> Vec<u8> {
        let mut head = Vec::with_capacity(LINE_COLUMNS);
        push_padded(&row.owner, self.owner, &mut head);
        push_padded(&row.ttl, self.ttl, &mut head);
        if self.class == ClassStyle::Written {
            head.extend_from_slice(b"IN ");
        }
        push_padded(&row.rtype, self.rtype, &mut head);
        head
    }
}

/// The largest width up to `max`, or if all are larger, the largest. Nothing has no width.
fn widest(widths: impl Iterator<Item = usize>, max: usize) -> usize {
    let (mut within, mut any) = (0, 0);
    for width in widths {
        any = any.max(width);
        within = if width <= max { within.max(width) } else { within };
    }
    if within == 0 { any } else { within }
}

/// A word, and spaces up to its `columns`; one at least, if there are any.
fn push_padded(word: &[u8], columns: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(word);
    if columns > 0 {
        let pad = columns.saturating_sub(width(word)).max(1);
        out.resize(out.len() + pad, b' ');
    }
}

fn draw_row(row: Row, columns: &Columns, text: &[u8], drawn: &mut Vec<Drawn>) {
    let mut head = columns.head(&row);
    let flat: usize = row.body.lead.iter().map(|word| width(word) + 1).sum();
    let is_long = width(&head) + flat > LINE_COLUMNS + 1;
    let rdata = columns.rdata();
    let indent = if rdata > INDENT_MAX { INDENT_DEEP } else { rdata };
    let is_drawn_anew = row.body.lines.is_empty() && (is_long || row.body.is_broken());
    let room = LINE_COLUMNS - indent - " (".len();
    let body = if is_drawn_anew { broken(row.body, room) } else { row.body };
    head.extend_from_slice(&body.lead.join(&b' '));
    if !body.is_broken() {
        let note = body.close.map_or(Remark::None, Remark::Written);
        drawn.push(Drawn { text: head, note, is_aligned: true });
        return;
    }
    draw_broken(head, body, indent, text, drawn);
}

fn draw_broken(mut head: Vec<u8>, body: Body, indent: usize, text: &[u8], drawn: &mut Vec<Drawn>) {
    if !body.lead.is_empty() {
        head.push(b' ');
    }
    head.push(b'(');
    let note = body.open.map_or(Remark::None, Remark::Written);
    drawn.push(Drawn { text: head, note, is_aligned: false });
    let line = |line: super::record::Line| match line.note {
        Remark::Written(note) if line.words.is_empty() && note.is_under => Drawn::under(note),
        note => Drawn { text: line.words.join(&b' '), note, is_aligned: true },
    };
    // Comments within the parentheses line up with each other.
    let lines: Vec<Drawn> = body.lines.into_iter().map(line).collect();
    let mut inner = Vec::new();
    write_lines(&lines, indent, text, &mut inner);
    let inner = inner.strip_suffix(b"\n").unwrap_or(&inner);
    for line in inner.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
        drawn.push(Drawn { text: line.to_vec(), note: Remark::None, is_aligned: false });
    }
    let mut text = vec![b' '; indent];
    text.push(b')');
    let note = body.close.map_or(Remark::None, Remark::Written);
    drawn.push(Drawn { text, note, is_aligned: false });
}

impl Drawn {
    fn under(note: Note) -> Drawn {
        Drawn { text: Vec::new(), note: Remark::Written(note), is_aligned: true }
    }

    fn is_under(&self) -> bool {
        matches!(self.note, Remark::Written(note) if note.is_under && self.text.is_empty())
    }
}

/// Writes lines with their comments, `indent` columns to the right.
fn write_lines(lines: &[Drawn], indent: usize, text: &[u8], out: &mut Vec<u8>) {
    let commented = lines.iter().filter(|l| l.is_aligned && l.note != Remark::None);
    let widths = commented.filter(|l| !l.text.is_empty()).map(|l| width(&l.text));
    let common = widths.filter(|&w| w <= COMMENTED_COLUMNS_MAX).max().unwrap_or(0) + 1;
    let mut above = common;
    for line in lines {
        let note = match line.note {
            Remark::None => &b""[..],
            Remark::Written(note) => note.bytes(text),
            Remark::Added(note) => note.as_bytes(),
        };
        let used = width(&line.text);
        let column = match line.is_aligned {
            _ if line.is_under() => above,
            true if line.text.is_empty() => 0,
            true if used < common => common,
            _ => used + 1,
        };
        out.resize(out.len() + indent, b' ');
        out.extend_from_slice(&line.text);
        if !note.is_empty() {
            out.resize(out.len() + column - used, b' ');
            out.extend_from_slice(note);
            above = column;
        }
        while out.last() == Some(&b' ') {
            out.pop();
        }
        out.push(b'\n');
    }
}
