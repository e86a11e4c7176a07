//! Every type that one side of a comparison can name: its file, its references, the built-in files.
//!
//! A tree of name parts. A written name is looked up from a scope outwards, whole, as the reference does it: the
//! innermost scope under which *all* of the name exists wins (protoc would stop at the first part). Invariant:
//! work per look-up is bounded by the nesting depth times the length of the name, never by the number of types.
//! [`crate::protobuf::resolve`] answers the same question for normal forms; here each type also carries its origin
//! and where its package ends, and scopes are places instead of texts.
//!
//! Source: Confluent `protobuf/diff/Context.java` (`collectTypeInfo`, `resolve`), 8.2.0.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::Reference;
use crate::protobuf::model::{Enum, FieldType, Message, ProtoFile, Scalar};
use crate::protobuf::resolve::is_map_entry;
use crate::protobuf::{ProtobufSchema, builtin};

/// One side of a comparison.
#[derive(Debug)]
pub(crate) struct Side<'a> {
    /// The file whose messages are compared.
    pub(crate) root: &'a ProtoFile,
    /// Files that its names may reach beside the built-in ones: the texts of its references, transitively, each
    /// with the reference that the root schema itself carries for it. Of equal names the first one counts, and
    /// those of `root` before all.
    pub(crate) dependencies: Vec<(Option<&'a Reference>, &'a ProtoFile)>,
}

impl<'a> Side<'a> {
    /// The side of a parsed schema. Names of references whose texts do not parse stand for nothing; such a schema
    /// does not get past validation.
    pub(crate) fn of(schema: &'a ProtobufSchema) -> Side<'a> {
        // Of carried references with one name the last one counts.
        let carried = |name: &str| schema.references().iter().rev().find(|reference| reference.name == name);
        let files = schema.referenced_files().unwrap_or_default().iter();
        let dependencies = files.map(|referenced| (carried(&referenced.source.name), &referenced.file)).collect();
        Side { root: schema.file(), dependencies }
    }
}

/// Where a type was declared. Two types of one origin are the same text, so they are not compared again.
#[derive(Debug, Clone, Copy)]
pub(super) enum Origin<'a> {
    /// In the compared file itself.
    Local,
    /// In a file that the schema refers to.
    Reference(&'a Reference),
    /// In a built-in file, or in a reference of a reference.
    Elsewhere,
}

/// What a declared name stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Declaration<'a> {
    Message(&'a Message),
    Enum,
}

/// A place in the tree: a package, a message or an enum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place(u32);

/// The place outside every package.
pub(super) const OUTERMOST: Place = Place(0);

#[derive(Debug)]
struct Node<'a> {
    name: &'a str,
    parent: Place,
    declared: Option<Declared<'a>>,
}

#[derive(Debug, Clone, Copy)]
struct Declared<'a> {
    what: Declaration<'a>,
    origin: Origin<'a>,
    /// Number of name parts below the package.
    depth: u32,
}

/// The tree of one side: the built-in files, shared by all, and what this side declares on top.
#[derive(Debug)]
pub(super) struct Types<'a> {
    builtin: &'static Tree<'static>,
    /// Places that the built-in tree does not have; they are numbered behind its own.
    own: Tree<'a>,
    /// Types of this side at places of the built-in tree: they hide the built-in ones.
    hiding: HashMap<Place, Declared<'a>>,
    /// The package of the compared file.
    root: Place,
}

#[derive(Debug, Default)]
struct Tree<'a> {
    nodes: Vec<Node<'a>>,
    children: HashMap<(Place, &'a str), Place>,
}

/// A type as a field names it. Maps of one form: `map<k, v>` and entries of a descriptor alike.
#[derive(Debug, Clone, Copy)]
pub(super) enum Written<'a> {
    Scalar(Scalar),
    Named(&'a str),
    Map(Scalar, &'a FieldType),
}

impl<'a> From<&'a FieldType> for Written<'a> {
    fn from(written: &'a FieldType) -> Written<'a> {
        match written {
            FieldType::Scalar(scalar) => Written::Scalar(*scalar),
            FieldType::Named(name) => Written::Named(name),
            FieldType::Map(key, value) => Written::Map(*key, value),
        }
    }
}

/// A type as the comparison sees it, with names looked up.
#[derive(Debug, Clone, Copy)]
pub(super) enum Seen<'a> {
    /// A scalar of this group; enums too.
    Scalar(ScalarKind),
    /// A message, or a name that nothing declares (`place` is none).
    Message { written: &'a str, place: Option<Place> },
    /// A map.
    Map { key: Written<'a>, value: Written<'a> },
}

/// Scalars that read each other's bytes without loss of the value's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ScalarKind {
    GeneralNumber,
    SignedNumber,
    StringOrBytes,
    Fixed32,
    Fixed64,
    Float,
    Double,
}

impl From<Scalar> for ScalarKind {
    fn from(scalar: Scalar) -> ScalarKind {
        match scalar {
            Scalar::Int32 | Scalar::Int64 | Scalar::Uint32 | Scalar::Uint64 | Scalar::Bool => ScalarKind::GeneralNumber,
            Scalar::Sint32 | Scalar::Sint64 => ScalarKind::SignedNumber,
            Scalar::String | Scalar::Bytes => ScalarKind::StringOrBytes,
            Scalar::Fixed32 | Scalar::Sfixed32 => ScalarKind::Fixed32,
            Scalar::Fixed64 | Scalar::Sfixed64 => ScalarKind::Fixed64,
            Scalar::Float => ScalarKind::Float,
            Scalar::Double => ScalarKind::Double,
        }
    }
}

impl<'a> Types<'a> {
    pub(super) fn of(side: &Side<'a>) -> Types<'a> {
        let mut types = Types::on(builtin_tree());
        types.root = types.declare_file(side.root, Origin::Local);
        for (reference, file) in &side.dependencies {
            types.declare_file(file, reference.map_or(Origin::Elsewhere, Origin::Reference));
        }
        types
    }

    fn on(builtin: &'static Tree<'static>) -> Types<'a> {
        Types { builtin, own: Tree::default(), hiding: HashMap::new(), root: OUTERMOST }
    }

    /// The package of the compared file.
    pub(super) fn root(&self) -> Place {
        self.root
    }

    /// The place `name` directly inside `scope`, whatever it is.
    pub(super) fn inside(&self, scope: Place, name: &str) -> Option<Place> {
        self.own.children.get(&(scope, name)).copied().or_else(|| self.builtin_inside(scope, name))
    }

    /// How the comparison sees a type written in `scope`.
    pub(super) fn see(&self, scope: Place, written: Written<'a>) -> Seen<'a> {
        match written {
            Written::Scalar(scalar) => Seen::Scalar(scalar.into()),
            Written::Map(key, value) => Seen::Map { key: Written::Scalar(key), value: value.into() },
            Written::Named(name) => match self.resolve(scope, name) {
                None => Seen::Message { written: name, place: None },
                Some((place, Declaration::Message(message))) => match entry_types(message) {
                    Some((key, value)) => Seen::Map { key, value },
                    None => Seen::Message { written: name, place: Some(place) },
                },
                Some((_, Declaration::Enum)) => Seen::Scalar(ScalarKind::GeneralNumber),
            },
        }
    }

    /// The message declared at `place`, and where it comes from.
    pub(super) fn message_at(&self, place: Place) -> Option<(&'a Message, Origin<'a>)> {
        match self.declared(place)? {
            Declared { what: Declaration::Message(message), origin, .. } => Some((message, origin)),
            Declared { what: Declaration::Enum, .. } => None,
        }
    }

    /// The name parts of a declared place below its package, innermost first.
    pub(super) fn local_name(&self, place: Place) -> impl Iterator<Item = &'a str> {
        let depth = self.declared(place).map_or(0, |declared| declared.depth);
        let mut at = place;
        (0..depth).map_while(move |_| {
            let node = self.node(at)?;
            at = node.parent;
            Some(node.name)
        })
    }

    fn resolve(&self, scope: Place, name: &str) -> Option<(Place, Declaration<'a>)> {
        if let Some(absolute) = name.strip_prefix('.') {
            return self.declared_below(OUTERMOST, absolute);
        }
        let mut scope = scope;
        loop {
            if let Some(found) = self.declared_below(scope, name) {
                return Some(found);
            }
            if scope == OUTERMOST {
                return None;
            }
            scope = self.node(scope)?.parent;
        }
    }

    fn declared_below(&self, scope: Place, name: &str) -> Option<(Place, Declaration<'a>)> {
        let place = name.split('.').try_fold(scope, |place, part| self.inside(place, part))?;
        Some((place, self.declared(place)?.what))
    }

    fn builtin_inside(&self, scope: Place, name: &str) -> Option<Place> {
        // Places of this side have no built-in ones inside.
        let builtin: &Tree<'_> = self.builtin;
        if self.is_own(scope) { None } else { builtin.children.get(&(scope, name)).copied() }
    }

    fn is_own(&self, place: Place) -> bool {
        place.0 as usize >= self.builtin.nodes.len()
    }

    fn node(&self, place: Place) -> Option<&Node<'a>> {
        match (place.0 as usize).checked_sub(self.builtin.nodes.len()) {
            Some(own) => self.own.nodes.get(own),
            None => self.builtin.nodes.get(place.0 as usize),
        }
    }

    fn declared(&self, place: Place) -> Option<Declared<'a>> {
        let hiding = if self.is_own(place) { None } else { self.hiding.get(&place).copied() };
        hiding.or_else(|| self.node(place)?.declared)
    }

    /// Declares the types of `file`; gives the place of its package.
    fn declare_file(&mut self, file: &'a ProtoFile, origin: Origin<'a>) -> Place {
        let parts = file.package.as_deref().unwrap_or_default().split('.').filter(|part| !part.is_empty());
        let package = parts.fold(OUTERMOST, |place, part| self.enter(place, part));
        self.declare_types(package, &file.messages, &file.enums, origin, 1);
        package
    }

    /// As deep as messages nest, which parsing caps.
    fn declare_types(
        &mut self,
        scope: Place,
        messages: &'a [Message],
        enums: &'a [Enum],
        origin: Origin<'a>,
        depth: u32,
    ) {
        for message in messages {
            let declared = Declared { what: Declaration::Message(message), origin, depth };
            let place = self.declare(scope, &message.name, declared);
            self.declare_types(place, &message.messages, &message.enums, origin, depth + 1);
        }
        for found in enums {
            self.declare(scope, &found.name, Declared { what: Declaration::Enum, origin, depth });
        }
    }

    /// Declares a type unless its name is taken by another of this side.
    fn declare(&mut self, scope: Place, name: &'a str, declared: Declared<'a>) -> Place {
        let place = self.enter(scope, name);
        match (place.0 as usize).checked_sub(self.builtin.nodes.len()) {
            Some(own) => {
                if let Some(node) = self.own.nodes.get_mut(own) {
                    node.declared.get_or_insert(declared);
                }
            }
            None => {
                self.hiding.entry(place).or_insert(declared);
            }
        }
        place
    }

    fn enter(&mut self, scope: Place, name: &'a str) -> Place {
        if let Some(place) = self.builtin_inside(scope, name) {
            return place;
        }
        let first = self.builtin.nodes.len();
        *self.own.children.entry((scope, name)).or_insert_with(|| {
            // Every node is a part of a name in a text that a request could carry: far below 2³².
            let place = Place((first + self.own.nodes.len()) as u32);
            self.own.nodes.push(Node { name, parent: scope, declared: None });
            place
        })
    }
}

/// The tree of the built-in files alone, made once. Its first place is [`OUTERMOST`].
fn builtin_tree() -> &'static Tree<'static> {
    static NOTHING: OnceLock<Tree<'static>> = OnceLock::new();
    static BUILTIN: OnceLock<Tree<'static>> = OnceLock::new();
    BUILTIN.get_or_init(|| {
        let mut types = Types::on(NOTHING.get_or_init(Tree::default));
        types.own.nodes.push(Node { name: "", parent: OUTERMOST, declared: None });
        for (_, file) in builtin::files() {
            types.declare_file(file, Origin::Elsewhere);
        }
        types.own
    })
}

/// Key and value types when the message is the entry of a map (`option map_entry = true`, as descriptors have it).
fn entry_types(message: &Message) -> Option<(Written<'_>, Written<'_>)> {
    if !is_map_entry(message) {
        return None;
    }
    let type_of = |name: &str| message.fields.iter().find(|field| field.name == name).map(|field| &field.type_);
    Some((type_of("key")?.into(), type_of("value")?.into()))
}
