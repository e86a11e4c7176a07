//! Advice for each incompatible change of [`super::diff::CHANGES`].
//!
//! See [`crate::hint`]. A change found forward is the mirror of the author's: what the older file "is missing", the
//! author added.
//!
//! Source: the rules of `diff/`; protobuf.dev, "Updating A Message Type".

use super::model::{Field, Message, OneOf, ProtoFile};
use crate::Difference;
use crate::compat::Direction;

/// Numbers that protobuf keeps for itself.
const RESERVED: std::ops::RangeInclusive<i32> = 19_000..=19_999;
/// The highest field number.
const HIGHEST: i32 = 536_870_911;

/// See [`crate::hint::hint`].
pub(crate) fn hint(difference: &Difference, new: &ProtoFile, old: &ProtoFile, direction: Direction) -> Option<String> {
    let (is, was) = (Place::find(new, &difference.path), Place::find(old, &difference.path));
    let forward = direction == Direction::Forward;
    let name = is.name.as_str();
    Some(match difference.kind {
        "PACKAGE_CHANGED" => match &old.package {
            Some(package) => format!("Keep `package {package};`: a package names its types for good."),
            None => "Leave the package line out: the older version has none.".to_owned(),
        },
        "MESSAGE_REMOVED" if forward => format!(
            "Declare message {name} in a file of its own and import that: this level allows no message in this file \
             that the older version lacks."
        ),
        "MESSAGE_REMOVED" => format!("Put message {name} back: one that nothing uses costs nothing."),
        "FIELD_NUMERIC_LABEL_CHANGED" => {
            format!("Give field {} of {name} its label back: `{}`.", is.tag()?, show(was.field()?))
        }
        "FIELD_KIND_CHANGED" | "FIELD_SCALAR_KIND_CHANGED" | "FIELD_NAMED_TYPE_CHANGED" => {
            type_changed(&is, &was).or_else(|| moved_type(difference))?
        }
        "REQUIRED_FIELD_ADDED" if forward => put_back(&was)?,
        "REQUIRED_FIELD_REMOVED" if !forward => put_back(&was)?,
        "REQUIRED_FIELD_ADDED" | "REQUIRED_FIELD_REMOVED" => {
            format!("Make field `{}` of {name} optional.", is.field()?.name)
        }
        "ONEOF_FIELD_REMOVED" if forward => format!(
            "Add `{}` outside oneof {}: the older version does not know it as a choice.",
            show(is.field()?),
            is.oneof()?.name
        ),
        "ONEOF_FIELD_REMOVED" => {
            format!("Put `{}` back into oneof {} of {name}.", show(was.field()?), was.oneof()?.name)
        }
        "MULTIPLE_FIELDS_MOVED_TO_ONEOF" | "FIELD_MOVED_TO_EXISTING_ONEOF" if forward => {
            format!("Leave the fields of oneof {} of {} inside it.", was.oneof()?.name, was.name)
        }
        "MULTIPLE_FIELDS_MOVED_TO_ONEOF" | "FIELD_MOVED_TO_EXISTING_ONEOF" => format!(
            "Leave the fields where they were, and give oneof {} new ones under numbers that {name} never used{}.",
            is.oneof()?.name,
            free_number(&is, &was).map(|free| format!(", from {free}")).unwrap_or_default()
        ),
        _ => return None,
    })
}

fn type_changed(is: &Place<'_>, was: &Place<'_>) -> Option<String> {
    let (new, old) = (is.field()?, was.field()?);
    let free = free_number(is, was)?;
    let label = new.label.map(|label| format!("{} ", label.keyword())).unwrap_or_default();
    Some(format!(
        "Keep `{}` in {} as it is, and add the new one beside it under another name: `{label}{} {}_new = {free};`.",
        show(old),
        is.name,
        new.type_,
        new.name
    ))
}

/// A type inside an imported file, which the two files themselves do not show.
fn moved_type(difference: &Difference) -> Option<String> {
    let place = difference.path.trim_start_matches("#/");
    (!place.is_empty()).then(|| {
        format!("Keep the type at {place} as it was, and give what is new a field of its own with a new number.")
    })
}

fn put_back(was: &Place<'_>) -> Option<String> {
    Some(format!("Put `{}` back into {}: a required field can never go.", show(was.field()?), was.name))
}

/// As it stands in a text, without options.
fn show(field: &Field) -> String {
    let label = field.label.map(|label| format!("{} ", label.keyword())).unwrap_or_default();
    format!("{label}{} {} = {};", field.type_, field.name, field.tag)
}

/// A number that neither side uses, above all that they use.
fn free_number(one: &Place<'_>, other: &Place<'_>) -> Option<i32> {
    let tags = [one, other].into_iter().filter_map(|place| place.message).flat_map(|message| {
        let inside = message.oneofs.iter().flat_map(|oneof| &oneof.fields);
        message.fields.iter().chain(inside).map(|field| field.tag)
    });
    let next = tags.max().unwrap_or(0).checked_add(1)?;
    let next = if RESERVED.contains(&next) { RESERVED.end() + 1 } else { next };
    (next <= HIGHEST).then_some(next)
}

/// What a path of a difference leads to in one file: `#/Outer/Inner`, `#/M/<tag>`, `#/M/<oneof>`, `#/M/<oneof>/<tag>`.
struct Place<'a> {
    /// Dotted name of the message, in or below which the path ends.
    name: String,
    message: Option<&'a Message>,
    /// What follows the message.
    member: Vec<&'a str>,
}

impl<'a> Place<'a> {
    fn find(file: &'a ProtoFile, path: &'a str) -> Place<'a> {
        let mut place = Place { name: String::new(), message: None, member: Vec::new() };
        let mut names = Vec::new();
        let mut messages = &file.messages;
        for segment in path.trim_start_matches("#/").split('/').filter(|segment| !segment.is_empty()) {
            match messages.iter().rfind(|message| place.member.is_empty() && message.name == segment) {
                Some(message) => {
                    names.push(segment);
                    messages = &message.messages;
                    place.message = Some(message);
                }
                None => place.member.push(segment),
            }
        }
        // A message that this file lacks is named as the path names it.
        place.name = if place.member.iter().any(|segment| segment.parse::<i32>().is_ok()) || place.oneof().is_some() {
            names.join(".")
        } else {
            names.iter().chain(&place.member).copied().collect::<Vec<_>>().join(".")
        };
        place
    }

    fn tag(&self) -> Option<i32> {
        self.member.last()?.parse().ok()
    }

    fn field(&self) -> Option<&'a Field> {
        let (message, tag) = (self.message?, self.tag()?);
        let inside = message.oneofs.iter().flat_map(|oneof| &oneof.fields);
        message.fields.iter().chain(inside).find(|field| field.tag == tag)
    }

    /// The oneof that the path names, or that holds its field.
    fn oneof(&self) -> Option<&'a OneOf> {
        let message = self.message?;
        let named = message.oneofs.iter().find(|oneof| self.member.first() == Some(&oneof.name.as_str()));
        named.or_else(|| {
            let tag = self.tag()?;
            message.oneofs.iter().find(|oneof| oneof.fields.iter().any(|field| field.tag == tag))
        })
    }
}
