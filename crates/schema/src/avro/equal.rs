//! Whether two types are the same to the reference.
//!
//! Two definitions of one name may stand side by side if they are *equal*: names, fields, defaults, order, attributes;
//! not documentation and aliases, nor an enum's default. Look-ups find a stored schema that is equal and *alike*: the
//! rest is the same, too. The order of attributes and aliases never counts. Pairs of records are compared once.
//!
//! Source: Avro 1.12 `Schema#equals` of each kind, `Schema.Field#equals`; schema-registry `AvroSchema#equivalent`,
//! `#metaEqual`, 8.5.

use std::collections::HashSet;
use std::hash::Hash;

use super::json::{Json, same_entries};
use super::model::{AvroModel, Field, Kind, Type, TypeId};

/// Whether two types of one arena are equal. Ids without a type equal only themselves.
pub(super) fn equal_in(types: &[Type], a: TypeId, b: TypeId) -> bool {
    let mut comparison =
        Comparison { left: types, right: types, is_one_arena: true, alike: false, seen: HashSet::new() };
    comparison.types(a, b)
}

/// Whether two schemas are equal.
pub(super) fn equal(a: &AvroModel, b: &AvroModel) -> bool {
    compare(a, b, false)
}

/// Whether two schemas are equal and alike.
pub(super) fn alike(a: &AvroModel, b: &AvroModel) -> bool {
    compare(a, b, true)
}

/// Whether another text could be alike: by the order of attributes, aliases or keys, or, with `inlined`, by leaving
/// a type to a reference.
pub(super) fn has_variants(model: &AvroModel, inlined: bool) -> bool {
    let mut named = 0;
    model.types.iter().any(|of| {
        named += usize::from(of.kind.name().is_some());
        let in_fields = match &of.kind {
            Kind::Record(record) => record.fields.iter().any(|field| {
                field.aliases.len() > 1 || unordered(&field.props) || field.default.as_ref().is_some_and(holds_keys)
            }),
            _ => false,
        };
        in_fields || (inlined && named > 1) || of.kind.aliases().len() > 1 || unordered(&of.props)
    })
}

fn unordered(props: &[(String, Json)]) -> bool {
    props.len() > 1 || props.iter().any(|(_, value)| holds_keys(value))
}

fn holds_keys(value: &Json) -> bool {
    match value {
        Json::List(items) => items.iter().any(holds_keys),
        Json::Object(entries) => unordered(entries),
        _ => false,
    }
}

fn compare(a: &AvroModel, b: &AvroModel, alike: bool) -> bool {
    let mut comparison =
        Comparison { left: &a.types, right: &b.types, is_one_arena: false, alike, seen: HashSet::new() };
    comparison.types(a.root, b.root)
}

struct Comparison<'a> {
    left: &'a [Type],
    right: &'a [Type],
    is_one_arena: bool,
    /// Whether documentation, aliases and the defaults of enums count.
    alike: bool,
    /// Pairs of records that were met; they are the same unless something else differs.
    seen: HashSet<(TypeId, TypeId)>,
}

impl Comparison<'_> {
    fn types(&mut self, a: TypeId, b: TypeId) -> bool {
        if self.is_one_arena && a == b {
            return true;
        }
        let (Some(left), Some(right)) = (self.left.get(a.0 as usize), self.right.get(b.0 as usize)) else {
            return false;
        };
        if left.kind.name() != right.kind.name() || !same_entries(&left.props, &right.props) {
            return false;
        }
        if self.alike && !(left.kind.doc() == right.kind.doc() && same_set(left.kind.aliases(), right.kind.aliases())) {
            return false;
        }
        match (&left.kind, &right.kind) {
            (Kind::Array(a), Kind::Array(b)) | (Kind::Map(a), Kind::Map(b)) => self.types(*a, *b),
            (Kind::Union(a), Kind::Union(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.types(*a, *b)),
            (Kind::Record(left), Kind::Record(right)) => {
                if !self.seen.insert((a, b)) {
                    return true;
                }
                left.fields.len() == right.fields.len()
                    && left.fields.iter().zip(&right.fields).all(|(a, b)| self.fields(a, b))
            }
            (Kind::Enum(a), Kind::Enum(b)) => a.symbols == b.symbols && (!self.alike || a.default == b.default),
            (Kind::Fixed(a), Kind::Fixed(b)) => a.size == b.size,
            (a, b) => a.word() == b.word(),
        }
    }

    fn fields(&mut self, a: &Field, b: &Field) -> bool {
        a.name == b.name
            && a.order == b.order
            && same_default(a.default.as_ref(), b.default.as_ref())
            && same_entries(&a.props, &b.props)
            && (!self.alike || (a.doc == b.doc && same_set(&a.aliases, &b.aliases)))
            && self.types(a.schema, b.schema)
    }
}

fn same_default(a: Option<&Json>, b: Option<&Json>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.same(b),
        (None, None) => true,
        _ => false,
    }
}

/// Whether two lists of distinct items hold the same ones.
fn same_set<T: Eq + Hash>(a: &[T], b: &[T]) -> bool {
    a == b || (a.len() == b.len() && a.iter().collect::<HashSet<_>>() == b.iter().collect::<HashSet<_>>())
}
