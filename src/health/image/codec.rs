//! The codec: plain things as bytes, in one form each. It knows nothing of health.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Why bytes are not an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageError {
    /// What is wrong.
    pub what: &'static str,
    /// At which byte.
    pub offset: usize,
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.offset)
    }
}

/// Something that has one form in bytes.
pub(super) trait Coded: Sized {
    fn put(&self, out: &mut Writer);
    fn take(bytes: &mut Reader<'_>) -> Result<Self, ImageError>;
}

/// Whether positions in the log are written. The digest leaves them out: it tells what the state is, not how many
/// events without effect came by.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Positions {
    Written,
    LeftOut,
}

pub(super) struct Writer {
    pub bytes: Vec<u8>,
    pub positions: Positions,
}

pub(super) struct Reader<'b> {
    pub bytes: &'b [u8],
    pub offset: usize,
    pub version: u8,
}

impl Reader<'_> {
    pub fn error(&self, what: &'static str) -> ImageError {
        ImageError { what, offset: self.offset }
    }

    /// What images hold since `version`; of those before, its default.
    pub fn since<T: Coded + Default>(&mut self, version: u8) -> Result<T, ImageError> {
        if self.version < version { Ok(T::default()) } else { T::take(self) }
    }

    pub fn octets(&mut self, count: usize) -> Result<&[u8], ImageError> {
        let Some((head, rest)) = self.bytes.split_at_checked(count) else {
            return Err(self.error("the end comes too early"));
        };
        self.bytes = rest;
        self.offset += count;
        Ok(head)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], ImageError> {
        let error = self.error("the end comes too early");
        self.octets(N)?.try_into().map_err(|_| error)
    }
}

/// Writes a number or a flag in little endian.
macro_rules! coded_numbers {
    ($($name:ty),+) => {$(
        impl Coded for $name {
            fn put(&self, out: &mut Writer) {
                out.bytes.extend_from_slice(&self.to_le_bytes());
            }
            fn take(bytes: &mut Reader<'_>) -> Result<Self, ImageError> {
                Ok(Self::from_le_bytes(bytes.array()?))
            }
        }
    )+};
}

coded_numbers!(u8, u16, u32, u64);

impl Coded for bool {
    fn put(&self, out: &mut Writer) {
        out.bytes.push(u8::from(*self));
    }
    fn take(bytes: &mut Reader<'_>) -> Result<bool, ImageError> {
        match u8::take(bytes)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(bytes.error("neither yes nor no")),
        }
    }
}

impl Coded for f64 {
    fn put(&self, out: &mut Writer) {
        self.to_bits().put(out);
    }
    fn take(bytes: &mut Reader<'_>) -> Result<f64, ImageError> {
        u64::take(bytes).map(f64::from_bits)
    }
}

impl Coded for Box<str> {
    fn put(&self, out: &mut Writer) {
        (self.len() as u64).put(out);
        out.bytes.extend_from_slice(self.as_bytes());
    }
    fn take(bytes: &mut Reader<'_>) -> Result<Box<str>, ImageError> {
        let len = usize::try_from(u64::take(bytes)?).unwrap_or(usize::MAX);
        let error = bytes.error("a text that is not UTF-8");
        match std::str::from_utf8(bytes.octets(len)?) {
            Ok(text) => Ok(text.into()),
            Err(_) => Err(error),
        }
    }
}

impl<T: Coded> Coded for Option<T> {
    fn put(&self, out: &mut Writer) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }
    fn take(bytes: &mut Reader<'_>) -> Result<Option<T>, ImageError> {
        if bool::take(bytes)? { T::take(bytes).map(Some) } else { Ok(None) }
    }
}

impl<A: Coded, B: Coded> Coded for (A, B) {
    fn put(&self, out: &mut Writer) {
        self.0.put(out);
        self.1.put(out);
    }
    fn take(bytes: &mut Reader<'_>) -> Result<(A, B), ImageError> {
        Ok((A::take(bytes)?, B::take(bytes)?))
    }
}

impl<T: Coded> Coded for Arc<T> {
    fn put(&self, out: &mut Writer) {
        T::put(self, out);
    }
    fn take(bytes: &mut Reader<'_>) -> Result<Arc<T>, ImageError> {
        T::take(bytes).map(Arc::new)
    }
}

impl<T: Coded> Coded for Vec<T> {
    fn put(&self, out: &mut Writer) {
        (self.len() as u64).put(out);
        for value in self {
            value.put(out);
        }
    }
    // Nothing is reserved: a count that lies runs into the end of the bytes.
    fn take(bytes: &mut Reader<'_>) -> Result<Vec<T>, ImageError> {
        (0..u64::take(bytes)?).map(|_| T::take(bytes)).collect()
    }
}

impl<K: Coded + Ord, V: Coded> Coded for BTreeMap<K, V> {
    fn put(&self, out: &mut Writer) {
        (self.len() as u64).put(out);
        for (key, value) in self {
            key.put(out);
            value.put(out);
        }
    }
    fn take(bytes: &mut Reader<'_>) -> Result<BTreeMap<K, V>, ImageError> {
        (0..u64::take(bytes)?).map(|_| <(K, V)>::take(bytes)).collect()
    }
}
