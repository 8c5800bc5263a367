//! Framing: two octets of length, then a message (RFC 1035 §4.2.2, RFC 7766 §8). Octets may arrive
//! in any pieces.
//!
//! Never: reads a socket, looks into a message, holds more than one message and what arrived behind
//!        it.

/// Octets that are read at once while no longer message is under way.
const ROOM_LEN: usize = 4096;

/// The octets of length before each message.
const PREFIX_LEN: usize = 2;

/// Octets received and not yet taken as messages.
#[derive(Debug, Default)]
pub struct Inbox {
    octets: Vec<u8>,
    /// Octets at the front that are taken already.
    taken: usize,
}

/// What stands at the front of an inbox.
#[derive(Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A whole message, now taken.
    Message(&'a [u8]),
    /// Less than a message.
    Partial,
    /// A message of no octets: nothing that speaks DNS sends it, and what follows cannot be
    /// trusted.
    Empty,
}

impl Inbox {
    /// Takes the next message.
    pub fn next_message(&mut self) -> Frame<'_> {
        let Some(len) = self.announced_len() else { return Frame::Partial };
        if len == 0 {
            return Frame::Empty;
        }
        let from = self.taken + PREFIX_LEN;
        match self.octets.get(from..from + len) {
            None => Frame::Partial,
            Some(message) => {
                self.taken = from + len;
                Frame::Message(message)
            }
        }
    }

    /// Where to append what arrives: never full, and never larger than the message under way, or
    /// [`ROOM_LEN`]. Whole messages are to be taken first.
    pub fn room(&mut self) -> &mut Vec<u8> {
        self.octets.drain(..self.taken);
        self.taken = 0;
        let wanted = self.announced_len().map_or(0, |len| PREFIX_LEN + len).max(ROOM_LEN);
        if self.octets.capacity() > 2 * wanted {
            // A long message is over; its room goes back.
            self.octets.shrink_to(wanted);
        }
        self.octets.reserve_exact(wanted.saturating_sub(self.octets.len()).max(1));
        &mut self.octets
    }

    /// Whether nothing has arrived since the last message.
    pub fn is_empty(&self) -> bool {
        self.octets.len() == self.taken
    }

    fn announced_len(&self) -> Option<usize> {
        let prefix = self.octets.get(self.taken..self.taken + PREFIX_LEN)?;
        Some(usize::from(u16::from_be_bytes([*prefix.first()?, *prefix.get(1)?])))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn framed(messages: &[Vec<u8>]) -> Vec<u8> {
        let mut octets = Vec::new();
        for message in messages {
            octets.extend((message.len() as u16).to_be_bytes());
            octets.extend(message);
        }
        octets
    }

    proptest! {
        #[test]
        fn messages_come_out_as_they_went_in_however_they_were_cut(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..20),
            cuts in prop::collection::vec(1usize..700, 1..50),
        ) {
            let octets = framed(&messages);
            let (mut inbox, mut seen) = (Inbox::default(), Vec::new());
            let (mut rest, mut cuts) = (octets.as_slice(), cuts.iter().cycle());
            while !rest.is_empty() {
                let room = inbox.room();
                prop_assert!(room.capacity() > room.len());
                let cut = rest.len().min(*cuts.next().expect("cycles"));
                let cut = cut.min(room.capacity() - room.len());
                room.extend_from_slice(&rest[..cut]);
                rest = &rest[cut..];
                while let Frame::Message(message) = inbox.next_message() {
                    seen.push(message.to_vec());
                }
            }
            prop_assert_eq!(seen, messages);
            prop_assert!(inbox.is_empty());
        }
    }

    #[test]
    fn the_longest_message_fits_and_its_room_goes_back() {
        let long = vec![7; 65_535];
        let mut inbox = Inbox::default();
        for octet in framed(std::slice::from_ref(&long)) {
            let room = inbox.room();
            assert!(room.capacity() <= PREFIX_LEN + 65_535);
            room.push(octet);
        }
        assert_eq!(inbox.next_message(), Frame::Message(&long));
        assert!(inbox.room().capacity() < 10_000);
    }

    #[test]
    fn an_empty_message_is_told_apart() {
        let mut inbox = Inbox::default();
        assert_eq!(inbox.next_message(), Frame::Partial);
        inbox.room().push(0);
        assert_eq!(inbox.next_message(), Frame::Partial);
        inbox.room().push(0);
        assert_eq!(inbox.next_message(), Frame::Empty);
    }
}
