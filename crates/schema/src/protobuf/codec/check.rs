//! Whether bytes are a message: the gate's look at what was already encoded.
//!
//! Stricter than a protobuf parser in one point: a known number with another wire type is refused, where parsers
//! keep it as an unknown field. Data that was written under another schema should not pass because it happens to
//! skip cleanly. Unknown numbers pass: newer writers have them.
//!
//! Nothing is allocated but the error. Each occurrence of a nested message is judged alone.

use super::Mismatch;
use super::plan::{DELIMITED, Field, Kind, Message, Plans, Rule, START_GROUP};
use super::read::{Fields, MAX_DEPTH, Raw, fail, packed, too_deep};

/// Whether `payload` decodes as `plan`.
pub(super) fn check(plans: &Plans, plan: &Message, payload: &[u8], depth: usize) -> Result<(), Mismatch> {
    let mut fields = Fields::new(payload);
    while let Some((number, value)) = fields.next()? {
        let Some(at) = plan.field_by_number(number) else { continue };
        let field = &plan.fields[at];
        if value.wire_type() == field.kind.wire_type() {
            check_value(plans, field, value, depth)?;
        } else if let (Rule::Repeated | Rule::Packed, true, Raw::Delimited(mut run)) =
            (field.rule, field.kind.is_packable(), value)
        {
            while !run.is_empty() {
                packed(&mut run, field.kind.wire_type())?;
            }
        } else {
            return Err(Mismatch(format!(
                "Field {} is {} in the schema and {} in the payload",
                field.full_name,
                wire_name(field.kind.wire_type()),
                wire_name(value.wire_type()),
            )));
        }
    }
    for required in plan.required.chunks(64) {
        check_required(plan, required, payload)?;
    }
    Ok(())
}

fn check_value(plans: &Plans, field: &Field, value: Raw<'_>, depth: usize) -> Result<(), Mismatch> {
    match (field.kind, value) {
        (Kind::String { utf8: true }, Raw::Delimited(text)) if std::str::from_utf8(text).is_err() => {
            Err(Mismatch(format!("Field {} had invalid UTF-8.", field.full_name)))
        }
        (Kind::Message(at), Raw::Delimited(body)) | (Kind::Group(at), Raw::Group(body)) => {
            if depth >= MAX_DEPTH {
                return too_deep();
            }
            check(plans, &plans.messages[at as usize], body, depth + 1)
        }
        _ => Ok(()),
    }
}

/// At most 64 fields, of which each must occur.
fn check_required(plan: &Message, required: &[u32], payload: &[u8]) -> Result<(), Mismatch> {
    let mut seen = 0u64;
    let mut fields = Fields::new(payload);
    while let Some((number, _)) = fields.next()? {
        if let Some(at) = required.iter().position(|at| plan.fields[*at as usize].number == number) {
            seen |= 1 << at;
        }
    }
    match (0..required.len()).find(|at| seen >> at & 1 == 0) {
        Some(at) => {
            let name = &plan.fields[required[at] as usize].name;
            fail(&format!("Message missing required fields: {name}"))
        }
        None => Ok(()),
    }
}

fn wire_name(wire_type: u32) -> &'static str {
    match wire_type {
        0 => "a varint",
        1 => "64 bits wide",
        DELIMITED => "length-delimited",
        START_GROUP => "a group",
        _ => "32 bits wide",
    }
}
