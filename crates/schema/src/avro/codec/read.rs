//! The primitives of Avro's binary encoding, read from a payload.
//!
//! Source: Avro specification, "Binary Encoding"; Avro Java `BinaryDecoder`, 1.12.

use crate::Mismatch;
use crate::payload::write::unzigzag;

/// What is left of a payload.
pub(super) struct Reader<'w> {
    bytes: &'w [u8],
    at: usize,
}

/// How many items of an array or map follow before the next count.
pub(super) enum Block {
    Items(u64),
    End,
}

impl<'w> Reader<'w> {
    pub(super) fn new(bytes: &'w [u8]) -> Reader<'w> {
        Reader { bytes, at: 0 }
    }

    /// Bytes that were not read.
    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'w [u8], Mismatch> {
        let rest = &self.bytes[self.at..];
        let Some(taken) = rest.get(..count) else { return self.ends_early() };
        self.at += count;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Mismatch> {
        let Some(taken) = self.bytes[self.at..].first_chunk::<N>() else { return self.ends_early() };
        self.at += N;
        Ok(*taken)
    }

    pub(super) fn boolean(&mut self) -> Result<bool, Mismatch> {
        Ok(self.array::<1>()?[0] == 1)
    }

    pub(super) fn long(&mut self) -> Result<i64, Mismatch> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let [byte] = self.array::<1>()?;
            value |= u64::from(byte & 0x7f).wrapping_shl(shift);
            if byte < 0x80 {
                return Ok(unzigzag(value));
            }
        }
        Err(Mismatch(format!("Invalid long encoding at byte {}", self.at)))
    }

    pub(super) fn int(&mut self) -> Result<i32, Mismatch> {
        let value = self.long()?;
        i32::try_from(value).map_err(|_| Mismatch(format!("Invalid int encoding at byte {}", self.at)))
    }

    /// Bytes behind their length.
    pub(super) fn delimited(&mut self) -> Result<&'w [u8], Mismatch> {
        let length = self.long()?;
        match usize::try_from(length) {
            Ok(length) => self.take(length),
            Err(_) => Err(Mismatch(format!("Malformed data. Length is negative: {length}"))),
        }
    }

    /// A position in a list of `of`.
    pub(super) fn position(&mut self, of: usize, what: &str) -> Result<usize, Mismatch> {
        let at = self.long()?;
        match usize::try_from(at) {
            Ok(at) if at < of => Ok(at),
            _ => Err(Mismatch(format!("{what} {at} of {of}"))),
        }
    }

    pub(super) fn block(&mut self) -> Result<Block, Mismatch> {
        match self.long()? {
            0 => Ok(Block::End),
            count if count < 0 => {
                // Its size in bytes, for those who skip.
                self.long()?;
                Ok(Block::Items(count.unsigned_abs()))
            }
            count => Ok(Block::Items(count.unsigned_abs())),
        }
    }

    fn ends_early<T>(&self) -> Result<T, Mismatch> {
        Err(Mismatch(format!("The payload ends early, at byte {}", self.bytes.len())))
    }
}
