//! Just enough protobuf encoding to write descriptors with extension fields.

/// A message being written. Fields must be added in ascending number to match other encoders byte for byte.
#[derive(Debug, Default, Clone)]
pub(super) struct Writer(Vec<u8>);

impl Writer {
    /// The bytes written.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// A message whose first fields are already written.
    pub(super) fn from_bytes(bytes: Vec<u8>) -> Writer {
        Writer(bytes)
    }

    /// Adds the fields of another writer of the same message.
    pub(super) fn append(&mut self, more: &Writer) {
        self.0.extend_from_slice(&more.0);
    }

    /// Whether nothing was written.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// An `int32`, `bool` or enum field; negative numbers take ten bytes.
    pub(super) fn number(&mut self, field: u32, value: i32) {
        self.varint(u64::from(field) << 3);
        self.varint(i64::from(value) as u64);
    }

    /// A `bool` field.
    pub(super) fn flag(&mut self, field: u32, value: bool) {
        self.number(field, i32::from(value));
    }

    /// A `string` field.
    pub(super) fn text(&mut self, field: u32, value: &str) {
        self.bytes(field, value.as_bytes());
    }

    /// A message field.
    pub(super) fn message(&mut self, field: u32, value: &Writer) {
        self.bytes(field, &value.0);
    }

    fn bytes(&mut self, field: u32, value: &[u8]) {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }
}

/// Bytes that are no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// A field's value as the wire has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// Integers, flags, enums.
    Varint(u64),
    /// Strings, messages, packed numbers.
    Bytes(&'a [u8]),
    /// Fixed-width numbers and groups, which descriptors do not use.
    Other,
}

/// The fields of a message in wire order. Ends after the first error.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of this message.
    pub(super) fn of(bytes: &'a [u8]) -> Fields<'a> {
        Fields { rest: bytes }
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for at in 0..10 {
            let byte = *self.rest.get(at).ok_or(Malformed)?;
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                self.rest = &self.rest[at + 1..];
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Malformed> {
        let length = usize::try_from(length).map_err(|_| Malformed)?;
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    fn field(&mut self) -> Result<(u32, Value<'a>), Malformed> {
        let (number, wire_type) = self.tag()?;
        let value = match wire_type {
            0 => Value::Varint(self.varint()?),
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            other => {
                self.skip(number, other)?;
                Value::Other
            }
        };
        Ok((number, value))
    }

    fn tag(&mut self) -> Result<(u32, u64), Malformed> {
        let tag = self.varint()?;
        match u32::try_from(tag >> 3) {
            Ok(number @ 1..=0x1fff_ffff) => Ok((number, tag & 7)),
            _ => Err(Malformed),
        }
    }

    /// Skips fixed-width numbers and groups, without recursion.
    fn skip(&mut self, number: u32, wire_type: u64) -> Result<(), Malformed> {
        let mut open = Vec::new();
        let (mut number, mut wire_type) = (number, wire_type);
        loop {
            match wire_type {
                0 => drop(self.varint()?),
                1 => drop(self.take(8)?),
                2 => {
                    let length = self.varint()?;
                    self.take(length)?;
                }
                3 => open.push(number),
                4 if open.pop() == Some(number) => {}
                5 => drop(self.take(4)?),
                _ => return Err(Malformed),
            }
            if open.is_empty() {
                return Ok(());
            }
            (number, wire_type) = self.tag()?;
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u32, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

/// The varints of a packed field.
pub(super) fn packed(bytes: &[u8]) -> Result<Vec<u64>, Malformed> {
    let mut fields = Fields::of(bytes);
    let mut values = Vec::new();
    while !fields.rest.is_empty() {
        values.push(fields.varint()?);
    }
    Ok(values)
}
