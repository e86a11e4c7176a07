//! Names to definitions, once a text has ended.
//!
//! What could not be known before is checked here: branches of unions that were names, defaults of types that came
//! later, attributes that the reference cannot carry over to its resolved copy.
//!
//! Source: Avro 1.12 `ParseContext#resolve`, `SchemaResolver.ResolvingVisitor`.

use std::collections::HashSet;

use super::super::json::Json;
use super::super::model::{Kind, TypeId};
use super::default::{Fit, invalid_default};
use super::{PENDING, Parser, wrong};
use crate::InvalidSchema;

impl Parser {
    /// Ties the names used in the types from `first` on to their definitions; returns the root, resolved.
    pub(super) fn resolve(&mut self, first: usize, root: TypeId) -> Result<TypeId, InvalidSchema> {
        if let Some(name) = self.pending_name(root) {
            return Err(wrong(format!("Unknown schema: {name}")));
        }
        if let Some(name) = self.undefined(root) {
            return Err(wrong(format!("Undefined schema: {name}")));
        }
        let resolved: Vec<TypeId> = self.pending.iter().filter_map(|name| self.known.get(name).copied()).collect();
        if !resolved.is_empty() {
            let tie = |id: &mut TypeId| {
                if let Some(at) = id.0.checked_sub(PENDING) {
                    *id = resolved[at as usize];
                }
            };
            for of in &mut self.types[first..] {
                match &mut of.kind {
                    Kind::Array(inner) | Kind::Map(inner) => tie(inner),
                    Kind::Union(branches) => branches.iter_mut().for_each(tie),
                    Kind::Record(record) => record.fields.iter_mut().for_each(|field| tie(&mut field.schema)),
                    _ => {}
                }
            }
        }
        self.pending.clear();
        for of in &self.types[first..] {
            if let Kind::Union(branches) = &of.kind {
                self.check_branches(branches)?;
            }
            if matches!(of.kind, Kind::Array(_) | Kind::Map(_) | Kind::Record(_)) {
                of.props.iter().try_for_each(|(name, value)| check_prop(name, value))?;
            }
        }
        self.check_defaults(root);
        Ok(root)
    }

    /// The first name without a definition, as the reference comes by: through the named types in the order in which
    /// they became known, inner ones first, then from the root.
    fn undefined(&self, root: TypeId) -> Option<&str> {
        if self.pending.iter().all(|name| self.known.contains_key(name)) {
            return None;
        }
        let mut entered = HashSet::new();
        let mut stack: Vec<TypeId> = Vec::new();
        for start in self.named.iter().copied().chain([root]) {
            stack.push(start);
            while let Some(at) = stack.pop() {
                if let Some(name) = self.pending_name(at) {
                    if !self.known.contains_key(name) {
                        return Some(name);
                    }
                } else if entered.insert(at) {
                    let first = stack.len();
                    let kind = &self.types[at.0 as usize].kind;
                    stack.extend((0..).map_while(|place| visited(kind, place)));
                    stack[first..].reverse();
                }
            }
        }
        self.pending.iter().map(String::as_str).find(|name| !self.known.contains_key(*name))
    }

    /// Looks at every default again, now that all types are there. Types are entered depth first as the reference
    /// does, so that a default into a record that is still open is found out.
    fn check_defaults(&mut self, root: TypeId) {
        if self.fault.is_some() {
            return;
        }
        let mut entered = HashSet::new();
        let mut open: HashSet<TypeId> = HashSet::new();
        let mut steps = self.steps;
        let starts: Vec<TypeId> = self.named.iter().copied().chain([root]).collect();
        let mut stack: Vec<(TypeId, usize)> = Vec::new();
        for start in starts {
            if entered.insert(start) {
                stack.push((start, 0));
            }
            while let Some((at, next)) = stack.last_mut() {
                let at = *at;
                if *next == 0 && matches!(self.types[at.0 as usize].kind, Kind::Record(_)) {
                    open.insert(at);
                }
                let child = visited(&self.types[at.0 as usize].kind, *next);
                *next += 1;
                match child {
                    Some(child) => {
                        if entered.insert(child) {
                            stack.push((child, 0));
                        }
                    }
                    None => {
                        stack.pop();
                        self.fault = self.fault_of_defaults(at, &open, &mut steps).err();
                        if self.fault.is_some() {
                            return;
                        }
                        open.remove(&at);
                    }
                }
            }
        }
        self.steps = steps;
    }

    fn fault_of_defaults(&self, of: TypeId, open: &HashSet<TypeId>, steps: &mut usize) -> Result<(), InvalidSchema> {
        let Kind::Record(record) = &self.types[of.0 as usize].kind else { return Ok(()) };
        for field in &record.fields {
            let Some(default) = &field.default else { continue };
            match self.fits(field.schema, default, &|id| open.contains(&id), steps)? {
                Fit::Yes => {}
                Fit::No => return Err(invalid_default(&field.name, default, &self.show(field.schema))),
                Fit::Unset => return Err(wrong("Schema fields not set yet".to_owned())),
            }
        }
        Ok(())
    }
}

/// The type inside that the reference visits as the how-manieth: branches of a union last first.
fn visited(kind: &Kind, at: usize) -> Option<TypeId> {
    match kind {
        Kind::Union(branches) => branches.iter().rev().nth(at).copied(),
        kind => kind.child(at),
    }
}

/// Integers beyond a long do not survive in the attributes of records, arrays and maps.
fn check_prop(name: &str, value: &Json) -> Result<(), InvalidSchema> {
    fn holds_big(value: &Json) -> bool {
        match value {
            Json::Big(_) => true,
            Json::List(items) => items.iter().any(holds_big),
            Json::Object(entries) => entries.iter().any(|(_, value)| holds_big(value)),
            _ => false,
        }
    }
    if holds_big(value) {
        return Err(wrong(format!("Can't set a property to null: {name}")));
    }
    Ok(())
}
