//! Documents → objects: `apiVersion`, `kind`, `metadata`, `spec`.
//!
//! Source of the field lists: `docs/control-plane-files.md`.

mod cluster;
mod group;
mod topic;

pub use cluster::host_port;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::document;
use crate::fields::{Fields, Located, Report};
use crate::model::{Object, Origin};
use crate::problem::Problems;

/// The one version of the file format.
const API_VERSION: &str = "sluice/v1";

/// Every object of a file; what is wrong goes to `problems`. Objects with errors are left out.
pub fn read(file: &Arc<str>, text: &str, problems: &mut Problems) -> Vec<Object> {
    let documents = document::parse(file, text, problems);
    let mut report = Report { file: file.clone(), problems };
    documents
        .iter()
        .filter_map(|node| {
            let errors_before = report.problems.errors().count();
            let object = read_object(node, &mut report)?;
            (report.problems.errors().count() == errors_before).then_some(object)
        })
        .collect()
}

fn read_object(node: &document::Node, report: &mut Report<'_>) -> Option<Object> {
    let mut fields = Fields::of_document(node, report)?;
    let origin = Origin { file: report.file.clone(), at: node.at };
    if let Some(version) = fields.required("apiVersion", report) {
        version.one_of(&[(API_VERSION, ())], report);
    }
    let kind = fields.required("kind", report);
    let metadata = fields.required("metadata", report);
    let spec = fields.required("spec", report);
    fields.finish(report);
    let read = kind?.one_of(
        &[("Cluster", cluster::read as Reader), ("ClusterGroup", group::read), ("Topic", topic::read)],
        report,
    )?;
    let (metadata, spec) = (metadata?, spec?);
    let metadata = Fields::of(&metadata, report)?;
    let spec = Fields::of(&spec, report)?;
    read(origin, metadata, spec, report)
}

type Reader = fn(Origin, Fields<'_>, Fields<'_>, &mut Report<'_>) -> Option<Object>;

/// A name of clusters and groups: lower-kebab, at most 63 characters.
fn kebab(text: &str) -> Result<String, String> {
    let fits = (1..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-');
    if fits {
        Ok(text.to_owned())
    } else {
        Err(format!("{text:?} is no name: lower-case letters, digits and inner dashes, at most 63"))
    }
}

fn labels(value: Option<Located<'_>>, report: &mut Report<'_>) -> BTreeMap<String, String> {
    value.and_then(|value| value.text_map(report)).unwrap_or_default().into_iter().collect()
}

/// A field that is understood and kept, but that nothing acts on yet.
fn not_acted_on(value: &Located<'_>, report: &mut Report<'_>) {
    value.warn(report, "F010", "is checked and kept, but nothing acts on it yet".to_owned(), None);
}
