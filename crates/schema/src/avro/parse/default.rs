//! Whether a default fits its field. Only new schemas are asked; reading never stops for it.
//!
//! A default must fit one branch of a union, any of them. Walking is bounded: unions of records can be tried in
//! exponentially many ways, so steps are counted over the whole schema.
//!
//! Source: Avro 1.12 `Schema#isValidDefault`, `#isValidValue`.

use super::super::json::Json;
use super::super::model::{Kind, TypeId};
use super::{Parser, wrong};
use crate::InvalidSchema;

/// Most steps of checking defaults in one schema.
const MAX_STEPS: usize = 1 << 20;

/// What became of a look at a default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    Yes,
    No,
    /// It goes into a record whose fields are not known yet: a default cannot hold the record it stands in.
    Unset,
}

impl Parser {
    /// Keeps the fault if the default does not fit. Names without definition pass for empty records here.
    pub(super) fn check_default(&mut self, field: &str, schema: TypeId, default: Option<&Json>) {
        let Some(default) = default.filter(|_| self.fault.is_none()) else { return };
        let mut steps = self.steps;
        let fit = self.fits(schema, default, &|_| false, &mut steps);
        self.steps = steps;
        match fit {
            Ok(Fit::Yes | Fit::Unset) => {}
            Ok(Fit::No) => {
                let shown = self.show(schema);
                self.note(|| invalid_default(field, default, &shown));
            }
            Err(fault) => self.note(|| fault),
        }
    }

    /// How a value fits a type. `is_unset` knows the records whose fields do not count as known.
    pub(super) fn fits(
        &self,
        schema: TypeId,
        value: &Json,
        is_unset: &dyn Fn(TypeId) -> bool,
        steps: &mut usize,
    ) -> Result<Fit, InvalidSchema> {
        *steps += 1;
        if *steps > MAX_STEPS {
            return Err(InvalidSchema::TooComplex("The defaults of the schema take too long to check".to_owned()));
        }
        let yes_if = |fits: bool| Ok(if fits { Fit::Yes } else { Fit::No });
        let Some(of) = self.get(schema) else { return yes_if(matches!(value, Json::Object(_))) };
        match &of.kind {
            Kind::Null => yes_if(*value == Json::Null),
            Kind::Boolean => yes_if(matches!(value, Json::Bool(_))),
            Kind::Int => yes_if(matches!(value, Json::Integer(value) if i32::try_from(*value).is_ok())),
            Kind::Long => yes_if(matches!(value, Json::Integer(_))),
            Kind::Float | Kind::Double => yes_if(matches!(value, Json::Integer(_) | Json::Big(_) | Json::Double(_))),
            Kind::Bytes | Kind::String | Kind::Enum(_) | Kind::Fixed(_) => yes_if(matches!(value, Json::Text(_))),
            Kind::Array(items) => match value {
                Json::List(list) => self.all_fit(list.iter().map(|value| (*items, value)), is_unset, steps),
                _ => Ok(Fit::No),
            },
            Kind::Map(values) => match value {
                Json::Object(entries) => {
                    self.all_fit(entries.iter().map(|(_, value)| (*values, value)), is_unset, steps)
                }
                _ => Ok(Fit::No),
            },
            Kind::Union(branches) => {
                for branch in branches {
                    match self.fits(*branch, value, is_unset, steps)? {
                        Fit::No => {}
                        other => return Ok(other),
                    }
                }
                Ok(Fit::No)
            }
            Kind::Record(_) if !matches!(value, Json::Object(_)) => Ok(Fit::No),
            Kind::Record(_) if is_unset(schema) => Ok(Fit::Unset),
            Kind::Record(record) => {
                for field in &record.fields {
                    *steps += 1;
                    let fit = match value.get(&field.name) {
                        Some(value) => self.fits(field.schema, value, is_unset, steps)?,
                        // A default of its own is looked at where it stands.
                        None if field.default.is_some() => Fit::Yes,
                        None => Fit::No,
                    };
                    if fit != Fit::Yes {
                        return Ok(fit);
                    }
                }
                Ok(Fit::Yes)
            }
        }
    }

    fn all_fit<'a>(
        &self,
        values: impl Iterator<Item = (TypeId, &'a Json)>,
        is_unset: &dyn Fn(TypeId) -> bool,
        steps: &mut usize,
    ) -> Result<Fit, InvalidSchema> {
        for (schema, value) in values {
            match self.fits(schema, value, is_unset, steps)? {
                Fit::Yes => {}
                other => return Ok(other),
            }
        }
        Ok(Fit::Yes)
    }
}

pub(super) fn invalid_default(field: &str, default: &Json, schema: &str) -> InvalidSchema {
    wrong(format!("Invalid default for field {field}: {default} not a {schema}"))
}
