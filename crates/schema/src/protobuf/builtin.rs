//! Files that every schema may import without registering them.
//!
//! Embedded texts (`crates/schema/proto/`), parsed on first use and kept. A reference of the same name takes
//! precedence over a built-in file; see [`super::resolve`].
//!
//! To add one: the file under `proto/`, its row in [`FILES`].
//!
//! Source: schema-registry `ProtobufSchema#KNOWN_DEPENDENCIES`, 8.2.0.

use std::collections::HashSet;
use std::sync::OnceLock;

use prost_types::FileDescriptorProto;

use super::model::ProtoFile;
use super::resolve::Names;
use super::{descriptor, parse};
use crate::InvalidSchema;

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        /// Import path and text of each file.
        const FILES: &[(&str, &str)] = &[$(($path, include_str!(concat!("../../proto/", $path)))),*];
    };
}

files![
    "confluent/meta.proto",
    "confluent/type/decimal.proto",
    "confluent/type/variant.proto",
    "google/protobuf/any.proto",
    "google/protobuf/api.proto",
    "google/protobuf/descriptor.proto",
    "google/protobuf/duration.proto",
    "google/protobuf/empty.proto",
    "google/protobuf/field_mask.proto",
    "google/protobuf/source_context.proto",
    "google/protobuf/struct.proto",
    "google/protobuf/timestamp.proto",
    "google/protobuf/type.proto",
    "google/protobuf/wrappers.proto",
    "google/type/calendar_period.proto",
    "google/type/color.proto",
    "google/type/date.proto",
    "google/type/datetime.proto",
    "google/type/dayofweek.proto",
    "google/type/decimal.proto",
    "google/type/expr.proto",
    "google/type/fraction.proto",
    "google/type/interval.proto",
    "google/type/latlng.proto",
    "google/type/money.proto",
    "google/type/month.proto",
    "google/type/phone_number.proto",
    "google/type/postal_address.proto",
    "google/type/quaternion.proto",
    "google/type/timeofday.proto",
];

/// Every built-in file with its import path, sorted by path. Parses them all on the first call (a few
/// milliseconds), then costs nothing.
pub(crate) fn files() -> &'static [(&'static str, ProtoFile)] {
    static PARSED: OnceLock<Vec<(&'static str, ProtoFile)>> = OnceLock::new();
    PARSED.get_or_init(|| {
        // A file that did not parse would be missing; a test holds that none is.
        FILES.iter().filter_map(|(path, text)| Some((*path, parse::parse_text(text).ok()?))).collect()
    })
}

/// Whether this import path is built in.
pub(crate) fn is_builtin(path: &str) -> bool {
    place_of(path).is_some()
}

/// Linkable descriptors of the built-in files at these places and of those they need, dependencies first.
pub(super) fn linkable(places: impl IntoIterator<Item = usize>) -> Result<Vec<FileDescriptorProto>, InvalidSchema> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut open: Vec<(usize, bool)> = places.into_iter().map(|place| (place, false)).collect();
    while let Some((place, needs_are_found)) = open.pop() {
        let descriptor = linkable_file(place)?;
        if needs_are_found {
            found.push(descriptor.clone());
        } else if seen.insert(place) {
            open.push((place, true));
            let needs = descriptor.dependency.iter().filter_map(|path| place_of(path));
            open.extend(needs.map(|place| (place, false)));
        }
    }
    Ok(found)
}

fn place_of(path: &str) -> Option<usize> {
    FILES.binary_search_by(|(known, _)| (*known).cmp(path)).ok()
}

/// Built once, all together.
fn linkable_file(place: usize) -> Result<&'static FileDescriptorProto, InvalidSchema> {
    static LINKABLE: OnceLock<Result<Vec<FileDescriptorProto>, InvalidSchema>> = OnceLock::new();
    let all = LINKABLE.get_or_init(|| {
        let names = Names::default();
        let linkable = |(path, file): &(&str, ProtoFile)| {
            let (mut descriptor, _) = descriptor::file_descriptor(file, path, &names)?;
            descriptor.dependency = file.imports.clone();
            Ok(descriptor)
        };
        files().iter().map(linkable).collect()
    });
    let all = all.as_ref().map_err(Clone::clone)?;
    all.get(place).ok_or_else(|| InvalidSchema::Semantics("no such built-in file".to_owned()))
}

/// The types and extensions of all built-in files, if `full_name` can be one of them.
pub(super) fn names_for(full_name: &str) -> Option<&'static Names<'static>> {
    static NAMES: OnceLock<Names<'static>> = OnceLock::new();
    if !["google.protobuf.", "google.type.", "confluent."].iter().any(|package| full_name.starts_with(package)) {
        return None;
    }
    Some(NAMES.get_or_init(|| {
        let mut names = Names::default();
        files().iter().for_each(|(_, file)| names.add_file(file));
        names
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_file_parses_and_is_found_by_its_path() {
        assert_eq!(files().len(), FILES.len());
        assert!(FILES.is_sorted_by_key(|(path, _)| *path));
        assert!(files().iter().zip(FILES).all(|((parsed, _), (embedded, _))| parsed == embedded));
        assert!(is_builtin("google/protobuf/any.proto"));
        assert!(!is_builtin("google/type/localized_text.proto"));
    }

    #[test]
    fn all_embedded_files_link() {
        let descriptors = linkable(0..FILES.len()).unwrap();
        assert_eq!(descriptors.len(), FILES.len());
        let mut pool = prost_reflect::DescriptorPool::new();
        // In order: each finds its dependencies already there.
        descriptors.into_iter().for_each(|file| pool.add_file_descriptor_proto(file).unwrap());
        assert!(pool.get_message_by_name("google.type.DateTime").is_some());
    }

    #[test]
    fn confluent_meta_declares_the_five_options_as_1088() {
        let (_, meta) = &files()[place_of("confluent/meta.proto").unwrap()];
        let declared: Vec<_> = meta.extends.iter().map(|e| (e.fields[0].name.as_str(), e.fields[0].tag)).collect();
        let names = ["file_meta", "message_meta", "field_meta", "enum_meta", "enum_value_meta"];
        assert_eq!(declared, names.map(|name| (name, 1088)));
    }
}
