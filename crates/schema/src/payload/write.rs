//! Primitive encodings of protobuf, of which Avro has some, appended to a buffer.

/// Appends a varint.
#[inline]
pub(crate) fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The zigzag form of a signed integer.
#[inline]
pub(crate) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Appends four bytes, little endian.
#[inline]
pub(crate) fn fixed32(value: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// Appends eight bytes, little endian.
#[inline]
pub(crate) fn fixed64(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// The signed integer of a zigzag form.
#[inline]
pub(crate) fn unzigzag(value: u64) -> i64 {
    ((value >> 1) as i64) ^ -((value & 1) as i64)
}

/// Writes the length of what follows `out[at]` there, where one byte was left free; moves what follows if the length
/// takes more.
#[inline]
pub(crate) fn length_from(at: usize, out: &mut Vec<u8>) {
    number_from(at, (out.len() - at - 1) as u64, out);
}

/// Writes a number as a varint to `out[at]`, where one byte was left free; moves what follows if it takes more.
#[inline]
pub(crate) fn number_from(at: usize, number: u64, out: &mut Vec<u8>) {
    if number < 0x80 {
        out[at] = number as u8;
        return;
    }
    let more = (u64::BITS - number.leading_zeros()).div_ceil(7) as usize - 1;
    let end = out.len();
    out.resize(end + more, 0);
    out.copy_within(at + 1..end, at + 1 + more);
    let mut rest = number;
    for byte in &mut out[at..at + more] {
        *byte = rest as u8 | 0x80;
        rest >>= 7;
    }
    out[at + more] = rest as u8;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_takes_the_room_it_needs() {
        for len in [0usize, 1, 127, 128, 16_383, 16_384, 3_000_000] {
            let mut out = vec![9, 0];
            out.resize(2 + len, 7);
            length_from(1, &mut out);
            let mut expected = vec![9];
            varint(len as u64, &mut expected);
            expected.resize(expected.len() + len, 7);
            assert!(out == expected, "{len}");
        }
    }
}
