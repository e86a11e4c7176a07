//! `.proto` text → [`ProtoFile`], exactly as lenient and as strict as the reference's parser.
//!
//! A recursive-descent reader of its own, not a general protobuf parser: what is stored, hashed and printed must be
//! what the reference stores, and it keeps numbers as written, accepts tag 0, unknown imports and options nobody
//! declared, drops groups inside `extend`, and refuses editions. Work is bounded by [`MAX_TEXT_BYTES`],
//! [`MAX_NESTING`], [`MAX_ELEMENTS`] and [`MAX_NAME_BYTES`]; one pass, no backtracking.
//!
//! `reader` knows characters, words and strings; `option` knows values; `declaration` knows the rest; `import_path`
//! tidies paths; `limits` measures the result. Text that does not parse is tried as a base64 `FileDescriptorProto` by [`super::descriptor`].
//!
//! Source: Square Wire 6.4.5 `ProtoParser`, `OptionReader`, `SyntaxReader`.

mod declaration;
mod import_path;
mod limits;
mod option;
mod reader;

use super::model::ProtoFile;
use crate::InvalidSchema;

pub(crate) use limits::{check as check_limits, elements};

/// Longest text that is parsed, and longest canonical text. The reference's store refuses records of about this
/// size (42209).
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// Deepest nesting: messages, option literals, map types. The printer and the linker recurse as deep.
pub const MAX_NESTING: usize = 64;

/// Most declarations, options, option values and reserved items in one text.
pub const MAX_ELEMENTS: usize = 1 << 16;

/// Longest full name of a type.
pub const MAX_NAME_BYTES: usize = 512;

/// Parses one file. [`InvalidSchema::Syntax`] carries the reference's text, `Syntax error in :L:C: …`.
pub(crate) fn parse_text(text: &str) -> Result<ProtoFile, InvalidSchema> {
    check_size(text)?;
    let file = declaration::file(reader::Reader::new(text))?;
    check_limits(&file)?;
    Ok(file)
}

/// Parses a normal form that was just printed: longer than its source by its full names, and not to be stored.
pub(crate) fn parse_normal_form(text: &str) -> Result<ProtoFile, InvalidSchema> {
    declaration::file(reader::Reader::new(text))
}

/// Refuses texts over [`MAX_TEXT_BYTES`].
pub(crate) fn check_size(text: &str) -> Result<(), InvalidSchema> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(InvalidSchema::TooComplex(format!("The schema is longer than {MAX_TEXT_BYTES} bytes")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
