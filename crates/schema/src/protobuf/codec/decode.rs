//! Protobuf to JSON, with every field that has no presence.
//!
//! The occurrences of a message's fields are collected, brought into number order and printed; what is absent is
//! printed from the plan. Last value wins; nested messages that occur more than once are merged by joining their
//! bytes, which is what merging means on the wire.
//!
//! Unlike `check`, a known number with another wire type is an unknown field, as parsers have it. Extensions are
//! shown under their bracketed name. Bounds: messages nest 100 deep; the text ends in an error beyond 64 MiB, since
//! two bytes of payload may ask for all defaults of a large message.
//!
//! Source: protobuf-java-util `JsonFormat.PrinterImpl` with `includingDefaultValueFields`, 4.33.

use std::borrow::Cow;
use std::collections::HashMap;

use super::Mismatch;
use super::plan::{Field, Kind, Message, Plans, Rule, Shape};
use super::read::{Fields, MAX_DEPTH, Raw, fail, packed, too_deep};
use super::wellknown;
use crate::payload::print;
use crate::payload::write::unzigzag;

/// Longest JSON text that is produced.
const MAX_TEXT_BYTES: usize = 64 << 20;

/// Appends the JSON form of `payload`. On error `out` is as before.
pub(super) fn decode(plans: &Plans, plan: &Message, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Mismatch> {
    let start = out.len();
    let mut decoder = Decoder { plans, limit: start.saturating_add(MAX_TEXT_BYTES), out };
    let result = decoder.message(plan, payload, 0);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// One value of a known field.
#[derive(Clone, Copy)]
struct Occurrence<'w> {
    field: u32,
    value: Raw<'w>,
}

struct Decoder<'p, 'o> {
    plans: &'p Plans,
    limit: usize,
    out: &'o mut Vec<u8>,
}

type Done = Result<(), Mismatch>;

impl Decoder<'_, '_> {
    fn message(&mut self, plan: &Message, body: &[u8], depth: usize) -> Done {
        if depth > MAX_DEPTH {
            return too_deep();
        }
        if self.out.len() > self.limit {
            return fail("The JSON form exceeds 64 MiB");
        }
        let found = occurrences(self.plans, plan, body)?;
        match plan.shape {
            Shape::Fields => self.object(plan, &found, None, depth),
            Shape::Any => self.any(&found, depth),
            Shape::Timestamp => {
                let (seconds, nanos) = seconds_and_nanos(&found);
                wellknown::push_timestamp(seconds, nanos, self.out)
            }
            Shape::Duration => {
                let (seconds, nanos) = seconds_and_nanos(&found);
                wellknown::push_duration(seconds, nanos, self.out)
            }
            Shape::FieldMask => {
                let mut paths = String::new();
                for occurrence in &found {
                    if let Raw::Delimited(path) = occurrence.value
                        && !path.is_empty()
                    {
                        if !paths.is_empty() {
                            paths.push(',');
                        }
                        wellknown::lower_camel(&text(&plan.fields[0], path)?, &mut paths);
                    }
                }
                print::text(&paths, self.out);
                Ok(())
            }
            Shape::Struct => self.map(&plan.fields[0], &found, depth),
            Shape::ListValue => self.list(&plan.fields[0], &found, depth),
            Shape::Value => match found.last() {
                None => {
                    self.out.extend_from_slice(b"null");
                    Ok(())
                }
                Some(Occurrence { value: Raw::Fixed64(bits), .. }) if !f64::from_bits(*bits).is_finite() => fail(
                    "google.protobuf.Value cannot encode double values for infinity or nan, because they would be \
                     parsed as a string.",
                ),
                Some(last) => self.merged(&plan.fields[last.field as usize], &found, depth),
            },
            Shape::Wrapper => match found.last() {
                Some(last) => self.value(&plan.fields[0], last.value, depth),
                None => {
                    self.out.extend_from_slice(plan.fields[0].default.as_deref().unwrap_or(b"null"));
                    Ok(())
                }
            },
        }
    }

    /// Prints an object: what occurs and what has a default, by number. `type_url` comes first, if given.
    fn object(&mut self, plan: &Message, found: &[Occurrence<'_>], type_url: Option<&str>, depth: usize) -> Done {
        for required in &plan.required {
            if found.binary_search_by_key(required, |occurrence| occurrence.field).is_err() {
                let name = &plan.fields[*required as usize].name;
                return fail(&format!("Message missing required fields: {name}"));
            }
        }
        self.out.push(b'{');
        let mut first = true;
        if let Some(url) = type_url {
            self.out.extend_from_slice(b"\"@type\":");
            print::text(url, self.out);
            first = false;
        }
        let mut absent = plan.defaulted.iter().copied().peekable();
        let mut rest = found;
        loop {
            let next_found = rest.first().map(|occurrence| occurrence.field);
            let next_absent = absent.peek().copied();
            let at = match (next_found, next_absent) {
                (None, None) => break,
                (Some(found), Some(absent)) => found.min(absent),
                (found, absent) => found.or(absent).unwrap_or_default(),
            };
            if next_absent == Some(at) {
                absent.next();
            }
            let field = &plan.fields[at as usize];
            if !first {
                self.out.push(b',');
            }
            first = false;
            self.out.extend_from_slice(&field.label);
            if next_found == Some(at) {
                let count = rest.iter().take_while(|occurrence| occurrence.field == at).count();
                let (of_field, after) = rest.split_at(count);
                rest = after;
                match field.rule {
                    Rule::Map => self.map(field, of_field, depth)?,
                    Rule::Repeated | Rule::Packed => self.list(field, of_field, depth)?,
                    _ => self.merged(field, of_field, depth)?,
                }
            } else {
                self.out.extend_from_slice(field.default.as_deref().unwrap_or(b"null"));
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    /// Prints the one value that several occurrences of a field mean.
    fn merged(&mut self, field: &Field, found: &[Occurrence<'_>], depth: usize) -> Done {
        let Some(last) = found.last() else { return Ok(()) };
        if let (Kind::Message(at) | Kind::Group(at), true) = (field.kind, found.len() > 1) {
            let joined: Vec<u8> = found.iter().flat_map(|occurrence| body(occurrence.value)).copied().collect();
            return self.message(&self.plans.messages[at as usize], &joined, depth + 1);
        }
        self.value(field, last.value, depth)
    }

    fn list(&mut self, field: &Field, found: &[Occurrence<'_>], depth: usize) -> Done {
        self.out.push(b'[');
        let mut first = true;
        for occurrence in found {
            let mut run = match occurrence.value {
                Raw::Delimited(run) if field.kind.is_packable() => run,
                value => {
                    self.comma(&mut first)?;
                    self.value(field, value, depth)?;
                    continue;
                }
            };
            while !run.is_empty() {
                let value = packed(&mut run, field.kind.wire_type())?;
                if is_known(self.plans, field.kind, value) {
                    self.comma(&mut first)?;
                    self.value(field, value, depth)?;
                }
            }
        }
        self.out.push(b']');
        Ok(())
    }

    fn comma(&mut self, first: &mut bool) -> Done {
        if !std::mem::take(first) {
            self.out.push(b',');
        }
        if self.out.len() > self.limit { fail("The JSON form exceeds 64 MiB") } else { Ok(()) }
    }

    /// Prints the entries of a map; of equal keys the last, where the first stood.
    fn map(&mut self, field: &Field, found: &[Occurrence<'_>], depth: usize) -> Done {
        let Kind::Message(entry) = field.kind else { return Ok(()) };
        let entry = &self.plans.messages[entry as usize];
        let [key_field, value_field] = &*entry.fields else { return Ok(()) };
        let mut keys: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut entries: Vec<(Vec<u8>, Vec<Occurrence<'_>>)> = Vec::with_capacity(found.len());
        for occurrence in found {
            let parts = occurrences(self.plans, entry, body(occurrence.value))?;
            let split = parts.partition_point(|part| part.field == 0);
            let key = self.key(key_field, parts[..split].last().map(|part| part.value))?;
            let values = parts[split..].to_vec();
            match keys.get(&key) {
                Some(at) => entries[*at].1 = values,
                None => {
                    keys.insert(key.clone(), entries.len());
                    entries.push((key, values));
                }
            }
        }
        self.out.push(b'{');
        let mut first = true;
        for (key, values) in &entries {
            self.comma(&mut first)?;
            self.out.extend_from_slice(key);
            self.out.push(b':');
            match (values.is_empty(), value_field.kind) {
                (false, _) => self.merged(value_field, values, depth + 1)?,
                (true, Kind::Message(at) | Kind::Group(at)) => {
                    self.message(&self.plans.messages[at as usize], &[], depth + 1)?;
                }
                (true, _) => self.out.extend_from_slice(value_field.default.as_deref().unwrap_or(b"null")),
            }
        }
        self.out.push(b'}');
        Ok(())
    }

    /// A map key as a quoted name.
    fn key(&mut self, field: &Field, value: Option<Raw<'_>>) -> Result<Vec<u8>, Mismatch> {
        let start = self.out.len();
        match value {
            Some(value) => self.value(field, value, MAX_DEPTH)?,
            None => self.out.extend_from_slice(field.default.as_deref().unwrap_or(b"\"\"")),
        }
        let printed = self.out.split_off(start);
        if printed.first() == Some(&b'"') {
            return Ok(printed);
        }
        Ok([b"\"", &*printed, b"\""].concat())
    }

    fn value(&mut self, field: &Field, value: Raw<'_>, depth: usize) -> Done {
        let mut digits = itoa::Buffer::new();
        let (number, quoted) = match (field.kind, value) {
            (Kind::Message(at) | Kind::Group(at), value) => {
                return self.message(&self.plans.messages[at as usize], body(value), depth + 1);
            }
            (Kind::String { .. }, Raw::Delimited(bytes)) => {
                print::text(&text(field, bytes)?, self.out);
                return Ok(());
            }
            (Kind::Bytes, Raw::Delimited(bytes)) => {
                print::base64(bytes, self.out);
                return Ok(());
            }
            (Kind::Enum(at), Raw::Varint(number)) => {
                self.plans.enums[at as usize].print(number as i32, self.out);
                return Ok(());
            }
            (Kind::Bool, Raw::Varint(value)) => {
                self.out.extend_from_slice(if value != 0 { b"true" } else { b"false" });
                return Ok(());
            }
            (Kind::Double, Raw::Fixed64(bits)) => {
                print::double(f64::from_bits(bits), self.out);
                return Ok(());
            }
            (Kind::Float, Raw::Fixed32(bits)) => {
                print::float(f32::from_bits(bits), self.out);
                return Ok(());
            }
            (Kind::Int32, Raw::Varint(value)) => (digits.format(value as i32), false),
            (Kind::Sint32, Raw::Varint(value)) => (digits.format(unzigzag(u64::from(value as u32)) as i32), false),
            (Kind::Uint32, Raw::Varint(value)) => (digits.format(value as u32), false),
            (Kind::Int64, Raw::Varint(value)) => (digits.format(value as i64), true),
            (Kind::Sint64, Raw::Varint(value)) => (digits.format(unzigzag(value)), true),
            (Kind::Uint64, Raw::Varint(value)) => (digits.format(value), true),
            (Kind::Fixed32, Raw::Fixed32(value)) => (digits.format(value), false),
            (Kind::Sfixed32, Raw::Fixed32(value)) => (digits.format(value as i32), false),
            (Kind::Fixed64, Raw::Fixed64(value)) => (digits.format(value), true),
            (Kind::Sfixed64, Raw::Fixed64(value)) => (digits.format(value as i64), true),
            // occurrences() lets no other pair through.
            _ => return Ok(()),
        };
        if quoted {
            self.out.push(b'"');
        }
        self.out.extend_from_slice(number.as_bytes());
        if quoted {
            self.out.push(b'"');
        }
        Ok(())
    }

    fn any(&mut self, found: &[Occurrence<'_>], depth: usize) -> Done {
        let last = |at: u32| match found.iter().rfind(|occurrence| occurrence.field == at) {
            Some(Occurrence { value: Raw::Delimited(bytes), .. }) => *bytes,
            _ => &[],
        };
        let (url, content) = (last(0), last(1));
        if url.is_empty() && content.is_empty() {
            self.out.extend_from_slice(b"{}");
            return Ok(());
        }
        let url = String::from_utf8_lossy(url);
        let Some((_, name)) = url.rsplit_once('/') else {
            return fail(&format!("Invalid type url found: {url}"));
        };
        let Some(plan) = self.plans.by_name.get(name) else {
            return fail(&format!("Cannot find type for url: {url}"));
        };
        let plan = &self.plans.messages[*plan as usize];
        if depth >= MAX_DEPTH {
            return too_deep();
        }
        if plan.shape == Shape::Fields {
            let found = occurrences(self.plans, plan, content)?;
            return self.object(plan, &found, Some(&url), depth + 1);
        }
        self.out.extend_from_slice(b"{\"@type\":");
        print::text(&url, self.out);
        self.out.extend_from_slice(b",\"value\":");
        self.message(plan, content, depth + 1)?;
        self.out.push(b'}');
        Ok(())
    }
}

/// The known fields of `body` in number order, each field's values in wire order; of a oneof only the member that
/// came last, from where it last took over.
fn occurrences<'w>(plans: &Plans, plan: &Message, body: &'w [u8]) -> Result<Vec<Occurrence<'w>>, Mismatch> {
    let mut found = Vec::new();
    let mut fields = Fields::new(body);
    // Of each oneof: its current member.
    let mut current: Vec<Option<u32>> = Vec::new();
    let mut crossed = false;
    while let Some((number, value)) = fields.next()? {
        let Some(at) = plan.field_by_number(number) else { continue };
        let field = &plan.fields[at];
        let fits = if value.wire_type() == field.kind.wire_type() {
            is_known(plans, field.kind, value)
        } else {
            matches!(field.rule, Rule::Repeated | Rule::Packed)
                && field.kind.is_packable()
                && matches!(value, Raw::Delimited(_))
        };
        if !fits {
            continue;
        }
        let at = at as u32;
        if let Some(oneof) = field.oneof {
            if current.is_empty() {
                current.resize(plan.oneofs as usize, None);
            }
            let before = current[oneof as usize].replace(at);
            crossed |= before.is_some_and(|before| before != at);
        }
        found.push(Occurrence { field: at, value });
    }
    if crossed {
        keep_last_members(plan, &mut found);
    }
    found.sort_by_key(|occurrence| occurrence.field);
    Ok(found)
}

/// Drops what later members of the same oneof cleared. `found` is in wire order.
fn keep_last_members(plan: &Message, found: &mut Vec<Occurrence<'_>>) {
    // Per oneof: the member that counts, and whether another one was met on the way back.
    let mut last: Vec<(Option<u32>, bool)> = vec![(None, false); plan.oneofs as usize];
    let mut keep = vec![true; found.len()];
    for (at, occurrence) in found.iter().enumerate().rev() {
        let Some(oneof) = plan.fields[occurrence.field as usize].oneof else { continue };
        let (member, closed) = &mut last[oneof as usize];
        match member {
            None => *member = Some(occurrence.field),
            Some(member) => {
                *closed |= *member != occurrence.field;
                keep[at] = !*closed;
            }
        }
    }
    let mut keep = keep.into_iter();
    found.retain(|_| keep.next().unwrap_or(true));
}

/// Whether a value is one that the field can hold: closed enums have only their own numbers.
fn is_known(plans: &Plans, kind: Kind, value: Raw<'_>) -> bool {
    match (kind, value) {
        (Kind::Enum(at), Raw::Varint(number)) => {
            let plan = &plans.enums[at as usize];
            !plan.closed || plan.name(number as i32).is_some()
        }
        _ => true,
    }
}

fn seconds_and_nanos(found: &[Occurrence<'_>]) -> (i64, i32) {
    let (mut seconds, mut nanos) = (0, 0);
    for occurrence in found {
        match (occurrence.field, occurrence.value) {
            (0, Raw::Varint(value)) => seconds = value as i64,
            (1, Raw::Varint(value)) => nanos = value as i32,
            _ => {}
        }
    }
    (seconds, nanos)
}

/// Text of a string field. Without the UTF-8 check of proto3, what is no text becomes U+FFFD.
fn text<'w>(field: &Field, bytes: &'w [u8]) -> Result<Cow<'w, str>, Mismatch> {
    match (field.kind, std::str::from_utf8(bytes)) {
        (_, Ok(text)) => Ok(Cow::Borrowed(text)),
        (Kind::String { utf8: true }, Err(_)) => Err(Mismatch(format!("Field {} had invalid UTF-8.", field.full_name))),
        (_, Err(_)) => Ok(String::from_utf8_lossy(bytes)),
    }
}

fn body(value: Raw<'_>) -> &[u8] {
    match value {
        Raw::Delimited(body) | Raw::Group(body) => body,
        _ => &[],
    }
}
