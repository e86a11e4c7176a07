//! Changes of messages (protobuf): added, removed, moved among their siblings, and what is inside.
//!
//! Pure: pairs messages by name per nesting level and appends what it finds to the walk's report. Called for the
//! two files, for the nested types of each pair, and for referenced types. Inside a pair the order is the
//! reference's: oneofs, fields by tag, nested types; siblings come in [`sibling_order`].
//!
//! Source: Confluent `protobuf/diff/{SchemaDiff,MessageSchemaDiff}.java`, 8.2.0 and later.

use std::collections::HashMap;

use super::enum_::compare_enums;
use super::report::Report;
use super::sibling_order::sibling_order;
use super::walk::{Started, Walk};
use super::{MESSAGE_ADDED, MESSAGE_MOVED, MESSAGE_REMOVED, field, oneof};
use crate::protobuf::model::{Enum, Field, Message, OneOf, ProtoFile};
use crate::protobuf::resolve::is_map_entry;

/// The types of one nesting level.
#[derive(Debug, Clone, Copy)]
pub(super) struct Siblings<'a> {
    messages: &'a [Message],
    enums: &'a [Enum],
}

impl<'a> Siblings<'a> {
    pub(super) fn of_file(file: &'a ProtoFile) -> Siblings<'a> {
        Siblings { messages: &file.messages, enums: &file.enums }
    }

    fn of_message(message: &'a Message) -> Siblings<'a> {
        Siblings { messages: &message.messages, enums: &message.enums }
    }

    /// Messages by name.
    fn by_name(self) -> ByName<'a> {
        let siblings = self.messages.iter().enumerate();
        if self.messages.len() <= FEW {
            return ByName::Few(self.messages);
        }
        ByName::Many(siblings.map(|(index, message)| (message.name.as_str(), Sibling { index, message })).collect())
    }

    fn names(self) -> impl Iterator<Item = &'a str> {
        self.messages.iter().map(|message| message.name.as_str())
    }
}

/// How many messages are looked through faster than hashed. Most messages have no or few messages inside.
const FEW: usize = 8;

/// The messages of one level; of equal names the last one counts.
#[derive(Debug)]
enum ByName<'a> {
    Few(&'a [Message]),
    Many(HashMap<&'a str, Sibling<'a>>),
}

impl<'a> ByName<'a> {
    fn get(&self, name: &str) -> Option<Sibling<'a>> {
        match self {
            ByName::Few(messages) => {
                let index = messages.iter().rposition(|message| message.name == name)?;
                Some(Sibling { index, message: messages.get(index)? })
            }
            ByName::Many(siblings) => siblings.get(name).copied(),
        }
    }
}

/// A message and its index among the messages of its level.
#[derive(Debug, Clone, Copy)]
struct Sibling<'a> {
    index: usize,
    message: &'a Message,
}

/// Compares the types of one nesting level.
pub(super) fn compare_siblings<'a>(walk: &mut Walk<'a>, original: Siblings<'a>, update: Siblings<'a>) {
    if !original.messages.is_empty() || !update.messages.is_empty() {
        let (originals, updates) = (original.by_name(), update.by_name());
        for name in sibling_order(original.names(), update.names()) {
            walk.step();
            let (was, is) = (originals.get(name), updates.get(name));
            let entered = walk.enter_name(name);
            message_removed(was, is, &mut walk.report);
            message_added(was, is, &mut walk.report);
            if let (Some(was), Some(is)) = (was, is) {
                compare_messages(walk, was.message, is.message);
            }
            message_moved(was, is, &mut walk.report);
            walk.leave_name(entered);
        }
    }
    if walk.report.keeps_compatible() {
        compare_enums(original.enums, update.enums, &mut walk.report);
    }
}

/// Compares two messages. The walk stands in them: path and scopes are theirs.
pub(super) fn compare_messages<'a>(walk: &mut Walk<'a>, original: &'a Message, update: &'a Message) {
    let started = walk.start_message(original);
    if started == Started::Now {
        let (was, is) = (Members::of(original), Members::of(update));
        oneof::compare_oneofs(&was, &is, &mut walk.report);
        compare_members(walk, &was, &is);
    }
    compare_siblings(walk, Siblings::of_message(original), Siblings::of_message(update));
    walk.end_message(started);
}

/// A message is gone, also when it moved to another file or level. Reported at its old path.
fn message_removed(original: Option<Sibling<'_>>, update: Option<Sibling<'_>>, out: &mut Report) {
    if let (Some(was), None) = (original, update)
        && !is_map_entry(was.message)
    {
        out.add(MESSAGE_REMOVED);
    }
}

/// A message is new.
fn message_added(original: Option<Sibling<'_>>, update: Option<Sibling<'_>>, out: &mut Report) {
    if let (None, Some(is)) = (original, update)
        && !is_map_entry(is.message)
    {
        out.add(MESSAGE_ADDED);
    }
}

/// A message has another index among its siblings. Compatible: indexes of framed records belong to the schema that
/// wrote them.
fn message_moved(original: Option<Sibling<'_>>, update: Option<Sibling<'_>>, out: &mut Report) {
    if let (Some(was), Some(is)) = (original, update)
        && was.index != is.index
    {
        out.add(MESSAGE_MOVED);
    }
}

/// A field of a message, in a oneof or not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) field: &'a Field,
    /// Name of its oneof.
    pub(super) oneof: Option<&'a str>,
}

/// The fields of a message by tag, those of oneofs among them. Groups take no part.
#[derive(Debug)]
pub(super) struct Members<'a> {
    /// Ascending tags, each once.
    by_tag: Vec<Member<'a>>,
    pub(super) oneofs: &'a [OneOf],
}

impl<'a> Members<'a> {
    fn of(message: &'a Message) -> Members<'a> {
        let outside = message.fields.iter().map(|field| Member { field, oneof: None });
        let inside = message
            .oneofs
            .iter()
            .flat_map(|oneof| oneof.fields.iter().map(|field| Member { field, oneof: Some(oneof.name.as_str()) }));
        // Texts may use a tag twice unless fields are validated: the last one counts.
        let mut by_tag: Vec<Member<'a>> = outside.chain(inside).collect();
        by_tag.reverse();
        by_tag.sort_by_key(|member| member.field.tag);
        by_tag.dedup_by_key(|member| member.field.tag);
        Members { by_tag, oneofs: &message.oneofs }
    }

    /// The field of this tag.
    pub(super) fn get(&self, tag: i32) -> Option<Member<'a>> {
        let index = self.by_tag.binary_search_by_key(&tag, |member| member.field.tag).ok()?;
        self.by_tag.get(index).copied()
    }
}

/// Compares fields by ascending tag, wherever they stand.
fn compare_members<'a>(walk: &mut Walk<'a>, original: &Members<'a>, update: &Members<'a>) {
    let gone_oneofs = oneof::completely_removed(original, update);
    let (mut originals, mut updates) = (original.by_tag.iter().peekable(), update.by_tag.iter().peekable());
    loop {
        walk.step();
        let (was, is) = match (originals.peek(), updates.peek()) {
            (None, None) => break,
            (Some(was), Some(is)) if was.field.tag == is.field.tag => (originals.next(), updates.next()),
            (Some(was), Some(is)) if was.field.tag < is.field.tag => (originals.next(), None),
            (Some(_), None) => (originals.next(), None),
            (_, Some(_)) => (None, updates.next()),
        };
        match (was, is) {
            (Some(was), None) => {
                field::required_field_removed(was, &mut walk.report);
                field::field_removed(was, &mut walk.report);
                oneof::oneof_field_removed(was, &gone_oneofs, &mut walk.report);
            }
            (None, Some(is)) => {
                field::required_field_added(is, &mut walk.report);
                field::field_added(is, &mut walk.report);
                oneof::oneof_field_added(is, &mut walk.report);
            }
            (Some(was), Some(is)) => {
                oneof::oneof_field_moved_to_top_level(was, is, &mut walk.report);
                let outer = is.oneof.map(|name| walk.report.enter(name));
                let inner = walk.report.enter_tag(is.field.tag);
                field::compare_fields(walk, was.field, is.field);
                walk.report.leave(outer.unwrap_or(inner));
            }
            (None, None) => break,
        }
    }
}
