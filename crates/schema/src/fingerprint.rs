//! The content hash behind GUIDs and deduplication.
//!
//! MD5 over text, references, then metadata and rule set, all UTF-8, without separators (so different contents can
//! collide; the contract). The order of calls is the order of bytes: the registry feeds metadata and rules, which
//! this crate does not know. Null parts are skipped by not feeding them.
//!
//! Source: schema-registry `entities/Schema#updateHash`, `Metadata#updateHash`, `RuleSet#updateHash`, 8.2.0.

use md5::{Digest, Md5};

use crate::{Guid, Reference};

/// A content hash being fed. Start with [`Fingerprint::text`], then every [`Fingerprint::reference`] in list order.
#[derive(Clone, Default)]
pub struct Fingerprint(Md5);

impl Fingerprint {
    /// A hash of nothing yet.
    pub fn new() -> Fingerprint {
        Fingerprint(Md5::new())
    }

    /// Feeds the schema's canonical text.
    pub fn text(&mut self, text: &str) -> &mut Fingerprint {
        self.str(text)
    }

    /// Feeds a reference: name, subject, version as four big-endian bytes.
    pub fn reference(&mut self, reference: &Reference) -> &mut Fingerprint {
        self.str(&reference.name).str(&reference.subject);
        self.0.update(reference.version.to_be_bytes());
        self
    }

    /// Feeds UTF-8 text as it is.
    pub fn str(&mut self, text: &str) -> &mut Fingerprint {
        self.0.update(text.as_bytes());
        self
    }

    /// Feeds one byte: `1` marks a part that is present (metadata, rule set, `disabled`).
    pub fn byte(&mut self, byte: u8) -> &mut Fingerprint {
        self.0.update([byte]);
        self
    }

    /// The hash of what was fed.
    pub fn finish(self) -> Guid {
        Guid(self.0.finalize().into())
    }
}

impl std::fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fingerprint")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_references_hashes_to_its_md5() {
        // From the recording of `canon-protobuf-01`, step 1.
        let text = "syntax = \"proto3\";\npackage corpus.cp_plain;\n\nmessage M {\n  string a = 1;\n}\n";
        let mut fingerprint = Fingerprint::new();
        fingerprint.text(text);
        assert_eq!(fingerprint.finish().to_string(), "2d6064ba-ab9d-a501-1068-9d3407fa8a3a");
    }

    #[test]
    fn a_reference_adds_name_subject_and_a_big_endian_version() {
        let mut by_parts = Fingerprint::new();
        by_parts.text("t").reference(&Reference { name: "n".into(), subject: "s".into(), version: 258 });
        let mut by_bytes = Fingerprint::new();
        by_bytes.str("tns").byte(0).byte(0).byte(1).byte(2);
        assert_eq!(by_parts.finish(), by_bytes.finish());
    }
}
