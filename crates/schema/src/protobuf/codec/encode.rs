//! JSON to protobuf, in one pass over the text.
//!
//! Fields are written as they come; where JSON order is not number order, the finished pieces of a message are put in
//! order at its end. A nested message gets one byte for its length, and is moved when that is too few. What has no
//! place in one pass (equal names: the last counts, where the first stood) shows as an error, and the whole text is
//! encoded again without the surplus names; so errors are those of the text as a JSON tree holds it.
//!
//! Bounds: messages nest 100 deep as in the reference; each byte of JSON is looked at once per array or message
//! around it at worst; output is at most a few times the input.
//!
//! Source: protobuf-java-util `JsonFormat.ParserImpl`, 4.33, behind Jackson.

mod scalar;
mod special;

use std::borrow::Cow;
use std::collections::HashSet;

use super::Mismatch;
use super::plan::{END_GROUP, Field, Kind, Message, Plans, Rule, Shape, Tag};
use super::wellknown;
use crate::payload::json::{self, Cursor, Token};
use crate::payload::write::length_from;

/// Messages inside messages; the reference's recursion limit.
const MAX_MESSAGE_DEPTH: u32 = 100;

/// Maps of up to this many entries find equal names by comparing all with all.
const FEW_ENTRIES: usize = 12;

/// Appends `json` as a message of `plan`. On error `out` is as before.
pub(super) fn encode(plans: &Plans, plan: &Message, json: &[u8], out: &mut Vec<u8>) -> Result<(), Mismatch> {
    let start = out.len();
    let result = encode_once(plans, plan, json, out).or_else(|mismatch| {
        out.truncate(start);
        match json::deduplicated(json) {
            Some(json) => encode_once(plans, plan, &json, out),
            None => Err(mismatch),
        }
    });
    result.map_err(|mismatch| {
        out.truncate(start);
        // Names and enum values are quoted as they are; the reference's reports end at the first line break.
        let line = mismatch.0.split('\n').next().unwrap_or_default();
        Mismatch(line.trim_end().to_owned())
    })
}

fn encode_once(plans: &Plans, plan: &Message, json: &[u8], out: &mut Vec<u8>) -> Result<(), Mismatch> {
    out.reserve(json.len() / 2);
    let mut encoder = Encoder {
        plans,
        json: Cursor::new(json)?,
        out,
        pieces: Vec::with_capacity(32),
        set: Vec::with_capacity(8),
        sorted: Vec::new(),
        depth: 0,
        is_alias: false,
    };
    encoder.merge(plan)?;
    if encoder.json.at_end() { Ok(()) } else { encoder.json.malformed() }
}

/// What one field wrote: `out[start..]` up to the next piece.
#[derive(Clone, Copy)]
struct Piece {
    field: u32,
    start: usize,
    end: usize,
}

struct Encoder<'p, 'j, 'o> {
    plans: &'p Plans,
    json: Cursor<'j>,
    out: &'o mut Vec<u8>,
    /// Stack: the pieces of the messages that are open.
    pieces: Vec<Piece>,
    /// Stack: per open message one bit per field that is set, then one per oneof.
    set: Vec<u64>,
    /// Where pieces are put in order.
    sorted: Vec<u8>,
    depth: u32,
    /// The enum value just read is an alias of the default, not the default.
    is_alias: bool,
}

type Done = Result<(), Mismatch>;

impl<'p, 'j> Encoder<'p, 'j, '_> {
    /// Writes the body of a message from any JSON value, in the form that the type asks for.
    fn merge(&mut self, plan: &'p Message) -> Done {
        match plan.shape {
            Shape::Fields => self.message(plan, false),
            Shape::Struct => self.map(&plan.fields[0]),
            Shape::ListValue => self.repeated(&plan.fields[0]),
            Shape::Value => self.dynamic_value(plan),
            Shape::Wrapper => self.single(&plan.fields[0]),
            Shape::Timestamp => self.parse_text("timestamp", wellknown::parse_timestamp),
            Shape::Duration => self.parse_text("duration", wellknown::parse_duration),
            Shape::FieldMask => self.field_mask(&plan.fields[0]),
            Shape::Any => self.any(plan),
        }
    }

    /// Writes the fields of an object. `typed`: it is the content of an `Any`, whose `@type` is no field.
    fn message(&mut self, plan: &'p Message, typed: bool) -> Done {
        if self.json.peek() != b'{' {
            return self.complain("Expect message object but got: ", self.json.at);
        }
        self.json.bump();
        let body = self.out.len();
        let first_piece = self.pieces.len();
        let first_bit = self.set.len();
        self.set.resize(first_bit + (plan.fields.len() + plan.oneofs as usize).div_ceil(64), 0);
        let mut in_order = true;
        let mut before = 0u32;
        let mut expected = 0usize;
        if !self.json.take(b'}') {
            loop {
                let name = self.json.name()?;
                if let Some(at) = self.find(plan, name, &mut expected, typed)? {
                    let field = &plan.fields[at as usize];
                    let start = self.out.len();
                    self.field(plan, at, field, first_piece, first_bit)?;
                    let end = self.out.len();
                    if end != start {
                        self.set[first_bit + at as usize / 64] |= 1 << (at % 64);
                        self.pieces.push(Piece { field: at, start, end });
                        in_order &= at >= before;
                        before = at;
                    }
                } else {
                    self.json.skip()?;
                }
                if !self.json.more(b'}')? {
                    break;
                }
            }
        }
        if !plan.required.is_empty() {
            self.check_required(plan, first_bit)?;
        }
        if !in_order {
            self.sort_pieces(body, first_piece);
        }
        self.pieces.truncate(first_piece);
        self.set.truncate(first_bit);
        Ok(())
    }

    /// Position of the field named `name`; `None` for the `@type` of an `Any`.
    #[inline]
    fn find(
        &self,
        plan: &Message,
        name: Token<'j>,
        expected: &mut usize,
        typed: bool,
    ) -> Result<Option<u32>, Mismatch> {
        // JSON mostly follows the declaration: look at the field behind the last one first.
        if plan.unambiguous
            && !name.escaped
            && let Some(at) = plan.declared.get(*expected)
        {
            let label = &plan.fields[*at as usize].label;
            if label.len() == name.raw.len() + 3 && label[1..label.len() - 2] == *name.raw.as_bytes() {
                *expected += 1;
                return Ok(Some(*at));
            }
        }
        let name = name.text()?;
        if let Some(at) = plan.field_by_name(&name) {
            if plan.declared.get(at as usize) == Some(&at) {
                // Declared in number order: the next one stands behind this one.
                *expected = at as usize + 1;
            }
            return Ok(Some(at));
        }
        if typed && name == "@type" {
            return Ok(None);
        }
        Err(Mismatch(format!("Cannot find field: {name} in message {}", plan.full_name)))
    }

    /// Writes one member of a message, nothing if it is null, empty or an implicit default.
    #[inline]
    fn field(&mut self, plan: &'p Message, at: u32, field: &'p Field, first_piece: usize, first_bit: usize) -> Done {
        if self.set[first_bit + at as usize / 64] >> (at % 64) & 1 != 0 {
            return Err(Mismatch(format!("Field {} has already been set.", field.full_name)));
        }
        match field.rule {
            Rule::Implicit | Rule::Explicit | Rule::Required => {
                let start = self.out.len();
                self.single(field)?;
                if let Some(oneof) = field.oneof
                    && self.out.len() != start
                {
                    self.enter_oneof(plan, field, oneof, first_piece, first_bit)?;
                }
                Ok(())
            }
            _ if self.json.peek() == b'n' => self.json.literal("null"),
            Rule::Map => self.map(field),
            Rule::Repeated | Rule::Packed => self.repeated(field),
        }
    }

    fn enter_oneof(&mut self, plan: &Message, field: &Field, oneof: u32, first_piece: usize, first_bit: usize) -> Done {
        let bit = plan.fields.len() + oneof as usize;
        let word = &mut self.set[first_bit + bit / 64];
        if *word >> (bit % 64) & 1 == 0 {
            *word |= 1 << (bit % 64);
            return Ok(());
        }
        let mut members = self.pieces[first_piece..].iter().map(|piece| &plan.fields[piece.field as usize]);
        let other = members.find(|other| other.oneof == Some(oneof)).map_or("", |other| &other.full_name);
        Err(Mismatch(format!(
            "Cannot set field {} because another field {other} belonging to the same oneof has already been set",
            field.full_name
        )))
    }

    fn check_required(&self, plan: &Message, first_bit: usize) -> Done {
        let is_missing = |at: &&u32| self.set[first_bit + **at as usize / 64] >> (**at % 64) & 1 == 0;
        if !plan.required.iter().any(|at| is_missing(&at)) {
            return Ok(());
        }
        let missing: Vec<&str> =
            plan.required.iter().filter(is_missing).map(|at| &*plan.fields[*at as usize].name).collect();
        Err(Mismatch(format!("Message missing required fields: {}", missing.join(", "))))
    }

    fn sort_pieces(&mut self, body: usize, first_piece: usize) {
        let pieces = &mut self.pieces[first_piece..];
        pieces.sort_unstable_by_key(|piece| piece.field);
        self.sorted.clear();
        for piece in pieces {
            self.sorted.extend_from_slice(&self.out[piece.start..piece.end]);
        }
        self.out[body..].copy_from_slice(&self.sorted);
    }

    /// Writes tag and value of a field outside lists; nothing for null or an implicit default.
    #[inline]
    fn single(&mut self, field: &'p Field) -> Done {
        let start = self.out.len();
        if !self.element(field)? || field.rule != Rule::Implicit {
            return Ok(());
        }
        // Defaults of all kinds are zero bytes: a zero varint or fixed, an empty length.
        let mut tag = start;
        while self.out[tag] & 0x80 != 0 {
            tag += 1;
        }
        let value = &self.out[tag + 1..];
        if value[0] == 0 && !self.is_alias && value.iter().all(|byte| *byte == 0) {
            self.out.truncate(start);
        }
        Ok(())
    }

    /// Writes tag and value; gives false and writes nothing for a null that means absence.
    #[inline]
    fn element(&mut self, field: &'p Field) -> Result<bool, Mismatch> {
        if self.json.peek() == b'n' {
            return self.null(field);
        }
        field.tag.push(self.out);
        match field.kind {
            Kind::Message(at) => {
                let length = self.out.len();
                self.out.push(0);
                self.nested(&self.plans.messages[at as usize])?;
                length_from(length, self.out);
            }
            Kind::Group(at) => {
                self.nested(&self.plans.messages[at as usize])?;
                Tag::new(field.number, END_GROUP).push(self.out);
            }
            kind => self.scalar(kind)?,
        }
        Ok(true)
    }

    /// JSON null: absence, except where it is a value.
    fn null(&mut self, field: &'p Field) -> Result<bool, Mismatch> {
        self.json.literal("null")?;
        self.is_alias = false;
        match field.kind {
            Kind::Message(at) if self.plans.messages[at as usize].shape == Shape::Value => {
                field.tag.push(self.out);
                self.out.extend_from_slice(&[2, 0x08, 0]);
                Ok(true)
            }
            Kind::Enum(at) if self.plans.enums[at as usize].is_null => {
                field.tag.push(self.out);
                self.out.push(0);
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn nested(&mut self, plan: &'p Message) -> Done {
        if self.depth >= MAX_MESSAGE_DEPTH {
            return Err(Mismatch("Hit recursion limit.".to_owned()));
        }
        self.depth += 1;
        self.merge(plan)?;
        self.depth -= 1;
        Ok(())
    }

    fn repeated(&mut self, field: &'p Field) -> Done {
        let start = self.json.at;
        if self.json.peek() != b'[' {
            return self.complain(&format!("Expected an array for {} but found ", field.name), start);
        }
        self.json.bump();
        if self.json.take(b']') {
            return Ok(());
        }
        let packed = field.rule == Rule::Packed;
        let length = if packed {
            field.tag.push(self.out);
            self.out.push(0);
            self.out.len() - 1
        } else {
            0
        };
        loop {
            let written = if !packed {
                self.element(field)?
            } else if self.json.peek() != b'n' {
                self.scalar(field.kind)?;
                true
            } else {
                self.json.literal("null")?;
                let is_value = matches!(field.kind, Kind::Enum(at) if self.plans.enums[at as usize].is_null);
                if is_value {
                    self.out.push(0);
                }
                is_value
            };
            if !written {
                let name = &field.full_name;
                return Err(Mismatch(format!("Repeated field elements cannot be null in field: {name}")));
            }
            if !self.json.more(b']')? {
                break;
            }
        }
        if packed {
            length_from(length, self.out);
        }
        Ok(())
    }

    fn map(&mut self, field: &'p Field) -> Done {
        let Kind::Message(entry) = field.kind else { return Ok(()) };
        let entry = &self.plans.messages[entry as usize];
        let (Some(key), Some(value)) = (entry.fields.first(), entry.fields.get(1)) else {
            return Err(Mismatch(format!("Invalid map field: {}", field.full_name)));
        };
        let start = self.json.at;
        if self.json.peek() != b'{' {
            return self.complain("Expect a map object but found: ", start);
        }
        self.json.bump();
        if self.json.take(b'}') {
            return Ok(());
        }
        let mut names: Vec<Token<'j>> = Vec::new();
        loop {
            field.tag.push(self.out);
            let length = self.out.len();
            self.out.push(0);
            self.json.peek();
            let at = self.json.at;
            let name = self.json.string()?;
            names.push(name);
            key.tag.push(self.out);
            self.key(key.kind, name, at)?;
            self.json.expect(b':')?;
            if !self.element(value)? {
                return Err(Mismatch("Map value cannot be null.".to_owned()));
            }
            length_from(length, self.out);
            if !self.json.more(b'}')? {
                break;
            }
        }
        if has_equal_names(&mut names)? {
            // encode() drops the surplus and comes again.
            return Err(Mismatch(format!("Field {} has equal names.", field.full_name)));
        }
        Ok(())
    }

    /// Writes a map's key from the name of a member.
    fn key(&mut self, kind: Kind, name: Token<'j>, at: usize) -> Done {
        let text = name.text()?;
        match kind {
            Kind::String { .. } | Kind::Bytes => self.text(&text),
            kind => self.scalar_from_text(kind, &text, at)?,
        }
        Ok(())
    }

    /// An error that ends with the value at `start`.
    #[cold]
    fn complain<T>(&self, what: &str, start: usize) -> Result<T, Mismatch> {
        Err(Mismatch(format!("{what}{}", self.json.compact(start))))
    }
}

/// Whether two members of a JSON object have one name.
fn has_equal_names(names: &mut Vec<Token<'_>>) -> Result<bool, Mismatch> {
    if names.len() < 2 {
        return Ok(false);
    }
    if names.iter().any(|name| name.escaped) {
        let mut seen: HashSet<Cow<'_, str>> = HashSet::with_capacity(names.len());
        for name in names.iter() {
            if !seen.insert(name.text()?) {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    if names.len() <= FEW_ENTRIES {
        return Ok((1..names.len()).any(|at| names[..at].iter().any(|before| before.raw == names[at].raw)));
    }
    names.sort_unstable_by_key(|name| name.raw);
    Ok(names.windows(2).any(|pair| pair[0].raw == pair[1].raw))
}
