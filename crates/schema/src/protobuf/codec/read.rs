//! Protobuf's wire form, field by field, without allocating.
//!
//! Invariant: whatever the bytes, a reader ends or says why; groups are followed at most 100 deep.

use super::Mismatch;
use super::plan::{DELIMITED, END_GROUP, FIXED32, FIXED64, START_GROUP, VARINT};

/// Groups inside groups, and messages inside messages: the reference's recursion limit.
pub(super) const MAX_DEPTH: usize = 100;

/// The value of one field as the wire has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Raw<'w> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Delimited(&'w [u8]),
    /// The fields between the group's tags.
    Group(&'w [u8]),
}

impl Raw<'_> {
    /// The wire type it came with.
    pub(super) fn wire_type(self) -> u32 {
        match self {
            Raw::Varint(_) => VARINT,
            Raw::Fixed64(_) => FIXED64,
            Raw::Fixed32(_) => FIXED32,
            Raw::Delimited(_) => DELIMITED,
            Raw::Group(_) => START_GROUP,
        }
    }
}

/// The fields of a message, in wire order.
pub(super) struct Fields<'w> {
    rest: &'w [u8],
}

impl<'w> Fields<'w> {
    pub(super) fn new(bytes: &'w [u8]) -> Fields<'w> {
        Fields { rest: bytes }
    }

    /// Number and value of the next field.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<(u32, Raw<'w>)>, Mismatch> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (number, wire_type) = tag(&mut self.rest)?;
        let value = match wire_type {
            START_GROUP => {
                let start = self.rest;
                let end = skip_group(&mut self.rest, number)?;
                Raw::Group(&start[..start.len() - end])
            }
            END_GROUP => return fail("Protocol message end-group tag did not match expected tag."),
            wire_type => scalar(&mut self.rest, wire_type)?,
        };
        Ok(Some((number, value)))
    }
}

/// Reads one varint; as in the reference, bits above 64 are dropped and ten bytes are the most.
#[inline]
pub(super) fn varint(rest: &mut &[u8]) -> Result<u64, Mismatch> {
    if let Some((byte, after)) = rest.split_first()
        && *byte < 0x80
    {
        *rest = after;
        return Ok(u64::from(*byte));
    }
    let mut value = 0u64;
    for (at, byte) in rest.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(7 * at as u32).unwrap_or(0);
        if *byte < 0x80 {
            *rest = &rest[at + 1..];
            return Ok(value);
        }
    }
    if rest.len() < 10 { truncated() } else { fail("Protocol message contained a malformed varint.") }
}

/// Reads the values of a packed run.
pub(super) fn packed(rest: &mut &[u8], wire_type: u32) -> Result<Raw<'static>, Mismatch> {
    Ok(match wire_type {
        FIXED64 => Raw::Fixed64(u64::from_le_bytes(take(rest)?)),
        FIXED32 => Raw::Fixed32(u32::from_le_bytes(take(rest)?)),
        _ => Raw::Varint(varint(rest)?),
    })
}

fn tag(rest: &mut &[u8]) -> Result<(u32, u32), Mismatch> {
    let tag = varint(rest)? as u32;
    if tag >> 3 == 0 {
        return fail("Protocol message contained an invalid tag (zero).");
    }
    Ok((tag >> 3, tag & 7))
}

fn scalar<'w>(rest: &mut &'w [u8], wire_type: u32) -> Result<Raw<'w>, Mismatch> {
    Ok(match wire_type {
        VARINT => Raw::Varint(varint(rest)?),
        FIXED64 => Raw::Fixed64(u64::from_le_bytes(take(rest)?)),
        FIXED32 => Raw::Fixed32(u32::from_le_bytes(take(rest)?)),
        DELIMITED => {
            // A length is an int32 of which the upper half is not looked at.
            let len = varint(rest)? as u32;
            if len > i32::MAX as u32 {
                return fail("Protocol message contained an embedded string or message with a negative size.");
            }
            match rest.split_at_checked(len as usize) {
                Some((value, after)) => {
                    *rest = after;
                    Raw::Delimited(value)
                }
                None => return truncated(),
            }
        }
        _ => return fail("Protocol message tag had invalid wire type."),
    })
}

/// Skips to behind the end tag of group `number`; gives how many bytes are left from that tag on.
fn skip_group(rest: &mut &[u8], number: u32) -> Result<usize, Mismatch> {
    let mut open = [0u32; MAX_DEPTH];
    open[0] = number;
    let mut depth = 1;
    loop {
        let before = rest.len();
        if rest.is_empty() {
            return truncated();
        }
        match tag(rest)? {
            (number, START_GROUP) => {
                let Some(level) = open.get_mut(depth) else { return too_deep() };
                *level = number;
                depth += 1;
            }
            (number, END_GROUP) => {
                depth -= 1;
                if open[depth] != number {
                    return fail("Protocol message end-group tag did not match expected tag.");
                }
                if depth == 0 {
                    return Ok(before);
                }
            }
            (_, wire_type) => {
                scalar(rest, wire_type)?;
            }
        }
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], Mismatch> {
    match rest.split_first_chunk::<N>() {
        Some((value, after)) => {
            *rest = after;
            Ok(*value)
        }
        None => truncated(),
    }
}

#[cold]
fn truncated<T>() -> Result<T, Mismatch> {
    fail("Protocol message ended in the middle of a field.")
}

/// The error of a message beyond [`MAX_DEPTH`].
#[cold]
pub(super) fn too_deep<T>() -> Result<T, Mismatch> {
    fail("Protocol message had too many levels of nesting.")
}

#[cold]
pub(super) fn fail<T>(what: &str) -> Result<T, Mismatch> {
    Err(Mismatch(what.to_owned()))
}
