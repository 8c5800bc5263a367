//! A message written into a fixed buffer: sections in order, counts kept, nothing written past the limit.

use super::query::{Flags, HEADER_LEN};

/// The sections whose records are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Answer.
    Answer,
    /// Authority.
    Authority,
    /// Additional.
    Additional,
}

/// Writes a response front to back. A write that would pass the limit changes nothing and says so.
pub struct Writer<'a> {
    buffer: &'a mut [u8],
    len: usize,
    limit: usize,
    counts: [u16; 3],
}

impl<'a> Writer<'a> {
    /// A message with an empty header, of at most `limit` octets; `buffer` has at least a header's room.
    pub fn new(buffer: &'a mut [u8], limit: usize) -> Writer<'a> {
        let limit = limit.min(buffer.len());
        let mut writer = Writer { buffer, len: 0, limit, counts: [0; 3] };
        writer.put(&[0; HEADER_LEN]);
        writer
    }

    /// Octets written so far.
    pub fn len(&self) -> usize {
        self.len
    }

    /// What is written so far, the header still empty.
    pub fn message(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    /// Whether nothing but the header is written.
    pub fn is_empty(&self) -> bool {
        self.len <= HEADER_LEN
    }

    /// Whether `count` more octets fit.
    pub fn has_room(&self, count: usize) -> bool {
        self.limit - self.len >= count
    }

    /// Keeps `count` octets back from what follows, for the OPT record.
    pub fn reserve(&mut self, count: usize) {
        self.limit = self.limit.saturating_sub(count).max(self.len);
    }

    /// Gives back what was kept.
    pub fn release(&mut self, count: usize) {
        self.limit = (self.limit + count).min(self.buffer.len());
    }

    /// Appends octets. False, and nothing written, if they do not fit.
    #[inline]
    pub fn put(&mut self, octets: &[u8]) -> bool {
        match self.buffer.get_mut(self.len..self.len + octets.len()) {
            Some(room) if self.limit - self.len >= octets.len() => {
                room.copy_from_slice(octets);
                self.len += octets.len();
                true
            }
            _ => false,
        }
    }

    /// Overwrites two octets that are already written.
    #[inline]
    pub fn patch(&mut self, at: usize, word: u16) {
        if let Some(room) = self.buffer[..self.len].get_mut(at..at + 2) {
            room.copy_from_slice(&word.to_be_bytes());
        }
    }

    /// Overwrites four octets that are already written.
    pub fn patch_long(&mut self, at: usize, long: u32) {
        if let Some(room) = self.buffer[..self.len].get_mut(at..at + 4) {
            room.copy_from_slice(&long.to_be_bytes());
        }
    }

    /// Two octets that are already written.
    pub fn word_at(&self, at: usize) -> u16 {
        match self.buffer[..self.len].get(at..at + 2) {
            Some(word) => u16::from_be_bytes([word[0], word[1]]),
            None => 0,
        }
    }

    /// Counts records that were appended to a section.
    #[inline]
    pub fn count(&mut self, section: Section, records: u16) {
        let count = &mut self.counts[section as usize];
        *count = count.wrapping_add(records);
    }

    /// Records of a section so far.
    pub fn records(&self, section: Section) -> u16 {
        self.counts[section as usize]
    }

    /// Forgets everything after `len` octets, and all records: what is left of a truncated message.
    pub fn cut(&mut self, len: usize) {
        self.len = self.len.min(len.max(HEADER_LEN));
        self.counts = [0; 3];
    }

    /// Writes the header and gives the message's length.
    pub fn finish(self, id: [u8; 2], flags: Flags, questions: u16) -> usize {
        let mut header = [0; HEADER_LEN];
        header[..2].copy_from_slice(&id);
        header[2..4].copy_from_slice(&flags.0.to_be_bytes());
        header[4..6].copy_from_slice(&questions.to_be_bytes());
        for (i, count) in self.counts.iter().enumerate() {
            header[6 + 2 * i..8 + 2 * i].copy_from_slice(&count.to_be_bytes());
        }
        match self.buffer.get_mut(..HEADER_LEN) {
            Some(room) if self.len >= HEADER_LEN => {
                room.copy_from_slice(&header);
                self.len
            }
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_changes_nothing() {
        let mut buffer = [0xff; 20];
        let mut writer = Writer::new(&mut buffer, 16);
        assert!(writer.put(b"abc"));
        assert!(!writer.put(b"de"));
        assert!(writer.put(b"d"));
        writer.count(Section::Answer, 2);
        assert_eq!(writer.finish([1, 2], Flags(0x8400), 1), 16);
        assert_eq!(buffer, *b"\x01\x02\x84\0\0\x01\0\x02\0\0\0\0abcd\xff\xff\xff\xff");
    }

    #[test]
    fn the_reserve_is_there_when_it_is_given_back() {
        let mut buffer = [0; 30];
        let mut writer = Writer::new(&mut buffer, 24);
        writer.reserve(11);
        assert!(!writer.has_room(2) && writer.has_room(1));
        writer.release(11);
        assert!(writer.has_room(12) && !writer.has_room(13));
    }

    #[test]
    fn a_buffer_without_room_for_a_header_gives_no_message() {
        let mut buffer = [0; 4];
        assert_eq!(Writer::new(&mut buffer, 512).finish([0, 0], Flags(0), 0), 0);
    }
}
