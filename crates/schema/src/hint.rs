//! The smallest change that would make a refused schema safe, as one sentence for its author.
//!
//! Pure: reads one [`Difference`] and both schemas. Says what to do in the *new* text, whatever the direction of the
//! comparison; says nothing where no small change helps. Never part of the reference's own bodies: callers show it
//! only when asked (`?hints=true`), in a field of its own.
//!
//! To add a format: a function of the same shape in its folder, an arm here. Every change type it words needs a row in
//! the format's test, which applies the advice and checks again.

use crate::compat::Direction;
use crate::{Difference, Schema, avro, json, protobuf};

/// What the author of `new` may do instead of the change that `difference` names; `None` where nothing small helps.
/// `direction` is the one that the difference was found in.
pub fn hint(difference: &Difference, new: &Schema, old: &Schema, direction: Direction) -> Option<String> {
    match (new, old) {
        (Schema::Protobuf(new), Schema::Protobuf(old)) => {
            protobuf::hint::hint(difference, new.file(), old.file(), direction)
        }
        (Schema::Json(new), Schema::Json(old)) => {
            json::hint::hint(difference, new.canonical_text(), old.canonical_text(), direction)
        }
        (Schema::Avro(_), Schema::Avro(_)) => avro::hint::hint(difference, direction),
        // Two types have nothing to compare; `compat` has its own sentence for them.
        _ => None,
    }
}

/// For two schemas of different types.
pub(crate) const OTHER_TYPE: &str =
    "Register it under another subject, and let a new topic use that: a subject keeps one schema type.";
