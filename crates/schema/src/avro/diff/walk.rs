//! Whether a reader's schema takes what a writer's schema wrote: the walk over pairs of types.
//!
//! A pair is decided once and remembered with what was found in it, also where it is met again: a type that is used
//! twice repeats its findings, at the places of its first use. A pair that is met inside itself counts as compatible.
//! A branch of a union is looked at as a root of its own; only whether it fits counts there.
//!
//! The pairs that are open stand in a list, so types may nest as deep as they like; the whole walk takes at most
//! [`MAX_STEPS`]. Findings of repeated types are referred to, not copied, until [`super`] lists them.
//!
//! Source: Avro Java `SchemaCompatibility.ReaderWriterCompatibilityChecker`, 1.12.

use std::collections::HashMap;
use std::ops::Range;

use super::path::{Path, PathId, Step};
use super::{
    Change, FIXED_SIZE_MISMATCH, MISSING_ENUM_SYMBOLS, MISSING_UNION_BRANCH, NAME_MISMATCH,
    READER_FIELD_MISSING_DEFAULT_VALUE, TYPE_MISMATCH, missing_symbols, type_word,
};
use crate::avro::model::{AvroModel, Field, Kind, Record, TypeId};

/// Pairs, fields, names and symbols that are compared at most: less than a second and about 100 MB at worst. Schemas
/// that people write take thousands; two unions of a thousand records fit, and any schema and itself.
const MAX_STEPS: usize = 1_200_000;

/// A place where the reader does not fit the writer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// Its row of [`super::CHANGES`].
    pub(super) change: &'static Change,
    /// The reader's type there.
    pub(super) reader: TypeId,
    /// The writer's type there.
    pub(super) writer: TypeId,
    /// Which field of the reader.
    pub(super) field: u32,
    /// Where, from the root or the branch of a union.
    pub(super) path: PathId,
}

/// Why the walk ended without a verdict.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    /// A reader's field names one field of the writer and another as its alias.
    #[error(
        "Reader record field {field} type:{word} pos:{at} matches multiple fields in writer record schema {record}"
    )]
    Ambiguous { field: String, word: String, at: usize, record: String },
    #[error("comparing the types takes more than {MAX_STEPS} steps")]
    TooMuch,
}

/// What was found in one pair. [`Outcome::COMPATIBLE`] is the only one without findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outcome(u32);

impl Outcome {
    /// The reader takes all that the writer wrote.
    pub(super) const COMPATIBLE: Outcome = Outcome(0);
    /// In [`Walk::known`] only: being looked at.
    const OPEN: Outcome = Outcome(u32::MAX);
}

/// A finding, or all those of another pair.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Found(Found),
    Pair(Outcome),
}

/// A pair that is being looked at.
struct Open {
    reader: TypeId,
    writer: TypeId,
    /// The branch or field to look at next.
    next: usize,
    /// Where its findings start in [`Walk::pending`].
    first: usize,
    /// Its place: the steps of [`Walk::path`] between these.
    place: Range<usize>,
}

/// What comes next in an open pair.
enum Next {
    Pair { reader: TypeId, writer: TypeId, apart: bool },
    Done,
}

/// Set as [`Open::next`] once a branch that fits was found.
const SETTLED: usize = usize::MAX;

/// The walk, and all it found.
pub(super) struct Walk<'m> {
    pub(super) reader: &'m AvroModel,
    pub(super) writer: &'m AvroModel,
    known: HashMap<(TypeId, TypeId), Outcome>,
    /// Per outcome, where its parts start and end.
    outcomes: Vec<(u32, u32)>,
    parts: Vec<Part>,
    open: Vec<Open>,
    /// Findings of the open pairs.
    pending: Vec<Part>,
    /// The place that is being looked at.
    pub(super) path: Path,
    /// Fields by name, of the writer's records met so far.
    fields: HashMap<TypeId, HashMap<&'m str, TypeId>>,
    steps: usize,
}

impl<'m> Walk<'m> {
    pub(super) fn new(reader: &'m AvroModel, writer: &'m AvroModel) -> Walk<'m> {
        Walk {
            reader,
            writer,
            known: HashMap::new(),
            outcomes: vec![(0, 0)],
            parts: Vec::new(),
            open: Vec::new(),
            pending: Vec::new(),
            path: Path::default(),
            fields: HashMap::new(),
            steps: 0,
        }
    }

    /// Compares the roots.
    pub(super) fn run(&mut self) -> Result<Outcome, Stopped> {
        let mut last = self.enter(self.reader.root(), self.writer.root(), false)?;
        while let Some(mut open) = self.open.pop() {
            if let Some(outcome) = last.take() {
                self.take_in(&mut open, outcome);
            }
            match self.next(&mut open)? {
                Next::Pair { reader, writer, apart } => {
                    self.open.push(open);
                    last = self.enter(reader, writer, apart)?;
                }
                Next::Done => last = Some(self.leave(&open)),
            }
        }
        Ok(last.unwrap_or(Outcome::COMPATIBLE))
    }

    /// What was found in a pair, in the reference's order.
    pub(super) fn parts(&self, outcome: Outcome) -> &[Part] {
        let (from, to) = self.outcomes[outcome.0 as usize];
        &self.parts[from as usize..to as usize]
    }

    /// Opens a pair, at the path as it stands; `apart`: as a root. Gives its outcome if it is known.
    fn enter(&mut self, reader: TypeId, writer: TypeId, apart: bool) -> Result<Option<Outcome>, Stopped> {
        self.charge(1)?;
        match self.known.get(&(reader, writer)) {
            Some(&Outcome::OPEN) => Ok(Some(Outcome::COMPATIBLE)),
            Some(outcome) => Ok(Some(*outcome)),
            None => {
                self.known.insert((reader, writer), Outcome::OPEN);
                if apart {
                    self.path.start_anew();
                }
                let place = self.path.place();
                self.open.push(Open { reader, writer, next: 0, first: self.pending.len(), place });
                Ok(None)
            }
        }
    }

    /// Closes a pair whose findings are complete.
    fn leave(&mut self, open: &Open) -> Outcome {
        let outcome = if self.pending.len() == open.first {
            Outcome::COMPATIBLE
        } else {
            let from = self.parts.len();
            self.parts.extend(self.pending.drain(open.first..));
            // Far fewer parts than steps.
            self.outcomes.push((from as u32, self.parts.len() as u32));
            Outcome(self.outcomes.len() as u32 - 1)
        };
        self.known.insert((open.reader, open.writer), outcome);
        outcome
    }

    /// Counts the outcome of the pair inside `open` that was looked at last.
    fn take_in(&mut self, open: &mut Open, outcome: Outcome) {
        self.path.restore(&open.place);
        match (&self.reader[open.reader].kind, &self.writer[open.writer].kind) {
            // Of a branch that does not fit is told that, not why.
            (Kind::Union(_), Kind::Union(branches)) if outcome != Outcome::COMPATIBLE => {
                let at = open.next - 1;
                self.path.push(Step::At(at as u32));
                self.add(MISSING_UNION_BRANCH, open.reader, branches[at]);
                self.path.restore(&open.place);
            }
            (Kind::Union(_), Kind::Union(_)) => {}
            (Kind::Union(_), _) if outcome == Outcome::COMPATIBLE => open.next = SETTLED,
            (Kind::Union(_), _) => {}
            _ if outcome != Outcome::COMPATIBLE => self.pending.push(Part::Pair(outcome)),
            _ => {}
        }
    }

    /// Goes on in a pair up to the next pair inside it.
    fn next(&mut self, open: &mut Open) -> Result<Next, Stopped> {
        let Open { reader, writer, .. } = *open;
        let (reader_model, writer_model) = (self.reader, self.writer);
        match (&reader_model[reader].kind, &writer_model[writer].kind) {
            (own, Kind::Union(branches)) => {
                let Some(branch) = branches.get(open.next) else { return Ok(Next::Done) };
                let apart = matches!(own, Kind::Union(_));
                if !apart {
                    self.path.push(Step::At(open.next as u32));
                }
                open.next += 1;
                Ok(Next::Pair { reader, writer: *branch, apart })
            }
            (Kind::Union(branches), _) => match branches.get(open.next) {
                Some(branch) => {
                    open.next += 1;
                    Ok(Next::Pair { reader: *branch, writer, apart: true })
                }
                None => {
                    if open.next != SETTLED {
                        self.add(MISSING_UNION_BRANCH, reader, writer);
                    }
                    Ok(Next::Done)
                }
            },
            (Kind::Array(inner), Kind::Array(written)) => Ok(self.inside(open, "items", *inner, *written)),
            (Kind::Map(inner), Kind::Map(written)) => Ok(self.inside(open, "values", *inner, *written)),
            (Kind::Record(own), Kind::Record(_)) => self.next_field(open, own),
            (Kind::Fixed(own), Kind::Fixed(written)) => {
                self.compare_names(reader, writer)?;
                if own.size != written.size {
                    self.add_in("size", FIXED_SIZE_MISMATCH, reader, writer);
                }
                Ok(Next::Done)
            }
            (Kind::Enum(own), Kind::Enum(written)) => {
                self.compare_names(reader, writer)?;
                self.charge(own.symbols.len() + written.symbols.len())?;
                if own.default.is_none() && !missing_symbols(own, written).is_empty() {
                    self.add_in("symbols", MISSING_ENUM_SYMBOLS, reader, writer);
                }
                Ok(Next::Done)
            }
            (own, written) => {
                if !takes(own, written) {
                    self.add(TYPE_MISMATCH, reader, writer);
                }
                Ok(Next::Done)
            }
        }
    }

    fn inside(&mut self, open: &mut Open, word: &'static str, reader: TypeId, writer: TypeId) -> Next {
        if open.next > 0 {
            return Next::Done;
        }
        open.next = 1;
        self.path.push(Step::Word(word));
        Next::Pair { reader, writer, apart: false }
    }

    /// Each field of the reader must be in the writer, under its name or an alias, or have a default.
    fn next_field(&mut self, open: &mut Open, own: &'m Record) -> Result<Next, Stopped> {
        let Open { reader, writer, .. } = *open;
        if open.next == 0 {
            self.compare_names(reader, writer)?;
        }
        while let Some(field) = own.fields.get(open.next) {
            let at = open.next;
            open.next += 1;
            self.path.push(Step::Word("fields"));
            self.path.push(Step::At(at as u32));
            let written = match self.written(field, at, writer)? {
                None if field.default.is_some() => None,
                // The reference then compares an enum that has a default with the record that lacks the field.
                None if self.is_defaulted_enum(field.schema) => Some(writer),
                None => {
                    let path = self.path.intern();
                    let change = READER_FIELD_MISSING_DEFAULT_VALUE;
                    self.pending.push(Part::Found(Found { change, reader, writer, field: at as u32, path }));
                    None
                }
                written => written,
            };
            if let Some(written) = written {
                self.path.push(Step::Word("type"));
                return Ok(Next::Pair { reader: field.schema, writer: written, apart: false });
            }
            self.path.restore(&open.place);
        }
        Ok(Next::Done)
    }

    fn is_defaulted_enum(&self, at: TypeId) -> bool {
        matches!(&self.reader[at].kind, Kind::Enum(own) if own.default.is_some())
    }

    /// The type of the field in the writer's record that a reader's field reads.
    fn written(&mut self, field: &Field, at: usize, record: TypeId) -> Result<Option<TypeId>, Stopped> {
        self.charge(1 + field.aliases.len())?;
        let Kind::Record(written) = &self.writer[record].kind else { return Ok(None) };
        let by_name = self
            .fields
            .entry(record)
            .or_insert_with(|| written.fields.iter().map(|field| (field.name.as_str(), field.schema)).collect());
        let names = std::iter::once(&field.name).chain(&field.aliases);
        let mut found = names.filter_map(|name| by_name.get(name.as_str()));
        let first = found.next().copied();
        if found.next().is_some() {
            return Err(Stopped::Ambiguous {
                field: field.name.clone(),
                word: type_word(self.reader, field.schema),
                at,
                record: written.name.full().to_owned(),
            });
        }
        Ok(first)
    }

    /// Names are compared without their namespaces; a reader's alias names the writer's type in full.
    fn compare_names(&mut self, reader: TypeId, writer: TypeId) -> Result<(), Stopped> {
        let (own, written) = (&self.reader[reader].kind, &self.writer[writer].kind);
        let (Some(name), Some(written)) = (own.name(), written.name()) else { return Ok(()) };
        let aliases = own.aliases();
        self.charge(aliases.len())?;
        if name.simple() != written.simple() && aliases.iter().all(|alias| alias.full() != written.full()) {
            self.add_in("name", NAME_MISMATCH, reader, writer);
        }
        Ok(())
    }

    fn add_in(&mut self, word: &'static str, change: &'static Change, reader: TypeId, writer: TypeId) {
        self.path.push(Step::Word(word));
        self.add(change, reader, writer);
        self.path.pop();
    }

    fn add(&mut self, change: &'static Change, reader: TypeId, writer: TypeId) {
        let path = self.path.intern();
        self.pending.push(Part::Found(Found { change, reader, writer, field: 0, path }));
    }

    fn charge(&mut self, steps: usize) -> Result<(), Stopped> {
        self.steps += steps;
        if self.steps > MAX_STEPS { Err(Stopped::TooMuch) } else { Ok(()) }
    }
}

/// Whether a reader's type without parts takes what a writer's type wrote: the same, or promoted.
fn takes(reader: &Kind, writer: &Kind) -> bool {
    match reader {
        Kind::Long => matches!(writer, Kind::Long | Kind::Int),
        Kind::Float => matches!(writer, Kind::Float | Kind::Int | Kind::Long),
        Kind::Double => matches!(writer, Kind::Double | Kind::Int | Kind::Long | Kind::Float),
        Kind::Bytes | Kind::String => matches!(writer, Kind::Bytes | Kind::String),
        reader => std::mem::discriminant(reader) == std::mem::discriminant(writer),
    }
}
