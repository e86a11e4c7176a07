//! Avro's JSON encoding to its binary one, in one pass over the text.
//!
//! Fields are written in the schema's order: one that stands later in the text is looked up there, and the place of
//! what was passed over is kept. Counts of arrays and maps get one byte, and what follows is moved when that is too
//! few. Equal names (the last counts) show as an error, and the whole text is encoded again without the surplus ones.
//!
//! What the schema does not have is dropped; nothing is filled in: a field without a value is an error, default or
//! not. Values of unions are tagged, but for null. Integers may be written with a fraction of zero.
//!
//! Bounds: values nest [`MAX_DEPTH`] deep; each byte of JSON is looked at once per record around it at worst; output
//! is at most a few times the input.
//!
//! Source: Avro Java `JsonDecoder` and `GenericDatumReader`, 1.12, behind Jackson; map order from `java.util.HashMap`.

mod map;

use std::borrow::Cow;

use super::plan::{Node, NodeId, Plan, Record, Union};
use crate::Mismatch;
use crate::payload::json::{self, Cursor, Token};
use crate::payload::write::{fixed32, fixed64, number_from, varint, zigzag};

/// Objects and arrays inside each other.
pub(super) const MAX_DEPTH: usize = 500;

/// Characters of a number that an error quotes.
const MAX_QUOTED_DIGITS: usize = 100;

/// Appends the binary form of `json`. On error `out` is as before.
pub(super) fn encode(plan: &Plan, json: &[u8], out: &mut Vec<u8>) -> Result<(), Mismatch> {
    let start = out.len();
    let mut result = encode_once(plan, json, out);
    if let Err(Fault::Repeated) = result {
        out.truncate(start);
        if let Some(json) = json::deduplicated(json) {
            result = encode_once(plan, &json, out);
        }
    }
    result.map_err(|fault| {
        out.truncate(start);
        fault.into_mismatch()
    })
}

fn encode_once(plan: &Plan, json: &[u8], out: &mut Vec<u8>) -> Done {
    out.reserve(json.len() / 2);
    let mut encoder = Encoder {
        plan,
        json: Cursor::new(json)?,
        out,
        passed: Vec::new(),
        entries: Vec::new(),
        sorted: Vec::new(),
        depth: 0,
    };
    match plan.node(plan.root) {
        // The serializer of the reference writes bytes at the top as they are.
        Node::Bytes => encoder.bytes_in("bytes", |bytes, out| {
            out.extend_from_slice(bytes);
            Ok(())
        })?,
        _ => encoder.value(plan.root)?,
    }
    if encoder.json.at_end() { Ok(()) } else { Ok(encoder.json.malformed()?) }
}

/// Why a text is not a value of the schema.
pub(super) enum Fault {
    /// It does not fit; in the end with the fields that lead there.
    Misfit(String),
    /// An object has a name twice.
    Repeated,
}

impl Fault {
    #[cold]
    fn in_field(self, name: &str) -> Fault {
        match self {
            Fault::Misfit(text) => Fault::Misfit(format!("Field \"{name}\" content mismatch: {text}")),
            Fault::Repeated => Fault::Repeated,
        }
    }

    fn into_mismatch(self) -> Mismatch {
        match self {
            Fault::Misfit(text) => Mismatch(text.replace(['\n', '\r'], " ")),
            Fault::Repeated => Mismatch("an object has one name twice".to_owned()),
        }
    }
}

impl From<Mismatch> for Fault {
    fn from(malformed: Mismatch) -> Fault {
        Fault::Misfit(malformed.0)
    }
}

type Done = Result<(), Fault>;

struct Encoder<'p, 'j, 'o> {
    plan: &'p Plan,
    json: Cursor<'j>,
    out: &'o mut Vec<u8>,
    /// Stack: per open record that is out of order, where the value of each field stands; 0 if it was not passed.
    passed: Vec<usize>,
    /// Stack: entries of the maps that are open.
    entries: Vec<map::Entry>,
    /// Where entries are put in order.
    sorted: Vec<u8>,
    depth: usize,
}

impl<'p, 'j> Encoder<'p, 'j, '_> {
    fn value(&mut self, node: NodeId) -> Done {
        match self.plan.node(node) {
            Node::Null => match self.json.peek() {
                b'n' => Ok(self.json.literal("null")?),
                _ => self.expected("null"),
            },
            Node::Boolean => {
                let (word, byte) = match self.json.peek() {
                    b't' => ("true", 1),
                    b'f' => ("false", 0),
                    _ => return self.expected("boolean"),
                };
                self.json.literal(word)?;
                self.out.push(byte);
                Ok(())
            }
            Node::Int => {
                let value = self.integer("int", i64::from(i32::MIN), i64::from(i32::MAX))?;
                varint(zigzag(value), self.out);
                Ok(())
            }
            Node::Long => {
                let value = self.integer("long", i64::MIN, i64::MAX)?;
                varint(zigzag(value), self.out);
                Ok(())
            }
            Node::Float => {
                let value = self.decimal("float")?;
                fixed32((value as f32).to_bits(), self.out);
                Ok(())
            }
            Node::Double => {
                let value = self.decimal("double")?;
                fixed64(value.to_bits(), self.out);
                Ok(())
            }
            Node::Bytes => self.bytes_in("bytes", |bytes, out| {
                varint(zigzag(bytes.len() as i64), out);
                out.extend_from_slice(bytes);
                Ok(())
            }),
            Node::String => {
                if self.json.peek() != b'"' {
                    return self.expected("string");
                }
                let token = self.json.string()?;
                self.text(token)
            }
            Node::Fixed(size) => self.bytes_in("fixed", |bytes, out| {
                if bytes.len() != *size {
                    let text = format!("Expected fixed length {size}, but got{}", bytes.len());
                    return Err(Fault::Misfit(text));
                }
                out.extend_from_slice(bytes);
                Ok(())
            }),
            Node::Enum(symbols) => {
                if self.json.peek() != b'"' {
                    // The reference's word.
                    return self.expected("fixed");
                }
                let name = self.json.string()?.text()?;
                match symbols.names.find(&name) {
                    Some(at) => {
                        varint(zigzag(i64::from(at)), self.out);
                        Ok(())
                    }
                    None => Err(Fault::Misfit(format!("Unknown symbol in enum {name}"))),
                }
            }
            Node::Array(items) => self.nested(|encoder| encoder.array(*items)),
            Node::Map(values, hash) => self.nested(|encoder| encoder.map(*values, *hash)),
            Node::Union(union) => self.nested(|encoder| encoder.union(union)),
            Node::Record(record) => self.nested(|encoder| encoder.record(record)),
        }
    }

    fn nested(&mut self, inner: impl FnOnce(&mut Self) -> Done) -> Done {
        if self.depth == MAX_DEPTH {
            return Err(Fault::Misfit(format!("values are nested more than {MAX_DEPTH} deep")));
        }
        self.depth += 1;
        let done = inner(self);
        self.depth -= 1;
        done
    }

    fn array(&mut self, items: NodeId) -> Done {
        if self.json.peek() != b'[' {
            return self.expected("array-start");
        }
        self.json.bump();
        if self.json.take(b']') {
            self.out.push(0);
            return Ok(());
        }
        let start = self.out.len();
        self.out.push(0);
        let mut count = 0;
        loop {
            self.value(items)?;
            count += 1;
            if !self.json.more(b']')? {
                break;
            }
        }
        number_from(start, zigzag(count), self.out);
        self.out.push(0);
        Ok(())
    }

    fn union(&mut self, union: &'p Union) -> Done {
        match self.json.peek() {
            b'n' => {
                self.json.literal("null")?;
                self.tag(union, "null")?;
                Ok(())
            }
            b'{' => {
                self.json.bump();
                if self.json.peek() != b'"' {
                    return self.expected("start-union");
                }
                let tag = self.json.name()?.text()?;
                let node = self.tag(union, &tag)?;
                self.value(node)?;
                // Further tags are dropped.
                while self.another_member()? {
                    if self.json.name()?.text()? == tag {
                        return Err(Fault::Repeated);
                    }
                    self.json.skip()?;
                }
                Ok(self.json.expect(b'}')?)
            }
            _ => self.expected("start-union"),
        }
    }

    /// Writes the number of a branch; gives its type.
    fn tag(&mut self, union: &Union, tag: &str) -> Result<NodeId, Fault> {
        let Some(at) = union.tags.find(tag) else {
            return Err(Fault::Misfit(format!("Unknown union branch {tag}")));
        };
        varint(zigzag(i64::from(at)), self.out);
        Ok(union.branches[at as usize].node)
    }

    fn record(&mut self, record: &'p Record) -> Done {
        if self.json.peek() != b'{' {
            return self.expected_record(record);
        }
        self.json.bump();
        let first = self.passed.len();
        for (at, field) in record.fields.iter().enumerate() {
            if let Some(place) = self.passed.get(first + at).copied().filter(|place| *place > 0) {
                let behind = std::mem::replace(&mut self.json.at, place);
                self.value(field.node).map_err(|fault| fault.in_field(&field.name))?;
                self.json.at = behind;
                continue;
            }
            // Without a name ahead, reading the value says what is there in its place.
            if self.json.peek() == b'"' {
                self.find(record, at, first).map_err(|fault| fault.in_field(&field.name))?;
                self.value(field.node).map_err(|fault| fault.in_field(&field.name))?;
                self.another_member()?;
            } else {
                self.value(field.node).map_err(|fault| fault.in_field(&field.name))?;
                return Ok(self.json.malformed()?);
            }
        }
        while self.json.peek() == b'"' {
            let name = self.json.name()?.text()?;
            if record.names.find(&name).is_some() {
                return Err(Fault::Repeated);
            }
            self.json.skip()?;
            self.another_member()?;
        }
        self.json.expect(b'}')?;
        self.passed.truncate(first);
        Ok(())
    }

    /// Goes on to the value of field `wanted`, keeping the places of other fields' values.
    fn find(&mut self, record: &Record, wanted: usize, first: usize) -> Done {
        let field = &record.fields[wanted];
        loop {
            let name = self.json.name()?;
            if !name.escaped && *name.raw == *field.name {
                return Ok(());
            }
            match record.names.find(&name.text()?).map(|at| at as usize) {
                Some(at) if at == wanted => return Ok(()),
                Some(at) if at < wanted => return Err(Fault::Repeated),
                Some(at) => {
                    if self.passed.len() == first {
                        self.passed.resize(first + record.fields.len(), 0);
                    }
                    let value = self.json.skip()?;
                    let place = std::mem::replace(&mut self.passed[first + at], value.start);
                    if place > 0 {
                        return Err(Fault::Repeated);
                    }
                }
                None => {
                    self.json.skip()?;
                }
            }
            if !self.another_member()? {
                return Err(Fault::Misfit(format!("Expected field name not found: {}", field.name)));
            }
        }
    }

    /// Behind a member: whether another follows. Consumes the comma, not the end.
    fn another_member(&mut self) -> Result<bool, Fault> {
        match self.json.peek() {
            b',' => {
                self.json.bump();
                if self.json.peek() == b'"' { Ok(true) } else { Ok(self.json.malformed()?) }
            }
            b'}' => Ok(false),
            _ => Ok(self.json.malformed()?),
        }
    }

    fn text(&mut self, token: Token<'j>) -> Done {
        let text = token.text()?;
        varint(zigzag(text.len() as i64), self.out);
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    /// Reads bytes: a text in which each character stands for one, those beyond Latin-1 for `?`.
    fn bytes_in(&mut self, what: &str, write: impl FnOnce(&[u8], &mut Vec<u8>) -> Done) -> Done {
        if self.json.peek() != b'"' {
            return self.expected(what);
        }
        let text = self.json.string()?.text()?;
        if text.is_ascii() {
            return write(text.as_bytes(), self.out);
        }
        let bytes: Vec<u8> = text.chars().map(|char| u8::try_from(u32::from(char)).unwrap_or(b'?')).collect();
        write(&bytes, self.out)
    }

    fn integer(&mut self, what: &str, min: i64, max: i64) -> Result<i64, Fault> {
        let (b'-' | b'0'..=b'9') = self.json.peek() else {
            self.expected(what)?;
            return Ok(0);
        };
        let at = self.json.at;
        let (text, fractional) = self.json.number()?;
        if !fractional {
            return match text.parse::<i64>() {
                Ok(value) if (min..=max).contains(&value) => Ok(value),
                _ => Err(Fault::Misfit(format!(
                    "Numeric value ({}) out of range of {what} ({min} - {max})",
                    quoted(text)
                ))),
            };
        }
        let value = text.parse::<f64>().unwrap_or(f64::NAN);
        // Both ends are exact as doubles but for the largest long, which the next double stands for.
        let fits = value.fract() == 0.0 && value >= min as f64 && (value as i64) <= max && value <= max as f64;
        if fits {
            return Ok(value as i64);
        }
        self.json.at = at;
        self.expected(what)?;
        Ok(0)
    }

    fn decimal(&mut self, what: &str) -> Result<f64, Fault> {
        let (b'-' | b'0'..=b'9') = self.json.peek() else {
            self.expected(what)?;
            return Ok(0.0);
        };
        let at = self.json.at;
        let (text, fractional) = self.json.number()?;
        let value = text.parse::<f64>().unwrap_or(f64::NAN);
        if value.is_finite() {
            // Integers have no negative zero.
            return Ok(if fractional { value } else { value + 0.0 });
        }
        if fractional {
            self.json.at = at;
            self.expected(what)?;
        }
        Err(Fault::Misfit(format!("Numeric value ({}) out of range of {what}", quoted(text))))
    }

    /// The error of a record that is none. The reference notices when it reads the first value inside.
    #[cold]
    fn expected_record(&mut self, record: &'p Record) -> Done {
        let mut path = Vec::new();
        let mut open = Some(record);
        while let Some(field) = open.and_then(|record| record.fields.first())
            && path.len() < MAX_DEPTH
        {
            path.push(&*field.name);
            open = match self.plan.node(field.node) {
                Node::Record(inner) => Some(inner),
                _ => None,
            };
        }
        let fault = self.expected("record-start");
        path.iter().rev().fold(fault, |fault, name| fault.map_err(|fault| fault.in_field(name)))
    }

    /// The error of a value that is something else; the JSON stands before it.
    #[cold]
    fn expected(&mut self, what: &str) -> Done {
        let got = match self.json.peek() {
            b'{' => "START_OBJECT",
            b'}' => "END_OBJECT",
            b'[' => "START_ARRAY",
            b']' => "END_ARRAY",
            b'"' => "VALUE_STRING",
            b't' => "VALUE_TRUE",
            b'f' => "VALUE_FALSE",
            b'n' => "VALUE_NULL",
            b'-' | b'0'..=b'9' => match self.json.number()? {
                (_, false) => "VALUE_NUMBER_INT",
                // What no double holds is a text to the reference.
                (text, true) if text.parse::<f64>().is_ok_and(f64::is_infinite) => "VALUE_STRING",
                (_, true) => "VALUE_NUMBER_FLOAT",
            },
            _ => return Ok(self.json.malformed()?),
        };
        Err(Fault::Misfit(format!("Expected {what}. Got {got}")))
    }
}

fn quoted(digits: &str) -> Cow<'_, str> {
    match digits.get(..MAX_QUOTED_DIGITS) {
        Some(start) if start.len() < digits.len() => Cow::Owned(format!("{start}…")),
        _ => Cow::Borrowed(digits),
    }
}
