//! The subject that a file belongs to.
//!
//! What other files refer to is no topic's schema: it belongs to the subject by which it is referred to, as the
//! serializers of Confluent name it (the import path, the full name of the type, the path).

use sluice_schema::SchemaType;

use super::plan::SchemaFile;

/// How files are mapped to subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// File name of a topic's schema: `orders.proto` → `orders-value`; a name that ends in `-key` or `-value` stays.
    Topic,
    /// Full name of the record.
    Record,
    /// Path from the root.
    File,
}

impl Strategy {
    /// As the flag spells them.
    pub(crate) const NAMES: [&str; 3] = ["topic", "record", "file"];

    /// The strategy of this word.
    pub(crate) fn from_word(word: &str) -> Strategy {
        match word {
            "record" => Strategy::Record,
            "file" => Strategy::File,
            _ => Strategy::Topic,
        }
    }

    /// The subject of a file, unqualified; a sentence if it has none.
    pub(crate) fn subject_of(self, file: &SchemaFile) -> Result<String, String> {
        match (self, &file.referred_as) {
            (Strategy::Record, _) => {
                file.outline.record.clone().ok_or_else(|| "has no record to be named after".to_owned())
            }
            (Strategy::File, _) => Ok(file.name.clone()),
            (Strategy::Topic, Some(name)) if file.schema_type != SchemaType::Json => Ok(name.clone()),
            // One document is referred to by many relative paths.
            (Strategy::Topic, Some(_)) => Ok(file.name.clone()),
            (Strategy::Topic, None) => {
                let stem = file.path.file_stem().unwrap_or_default().to_string_lossy();
                let is_whole = stem.ends_with("-key") || stem.ends_with("-value");
                Ok(if is_whole { stem.into_owned() } else { format!("{stem}-value") })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sluice_schema::outline::Outline;

    use super::*;

    fn file(path: &str, schema_type: SchemaType, referred_as: Option<&str>) -> SchemaFile {
        SchemaFile {
            path: path.into(),
            name: path.trim_start_matches("schemas/").to_owned(),
            schema_type,
            text: String::new(),
            outline: Outline { record: Some("shop.Order".into()), ..Outline::default() },
            is_given: true,
            links: Vec::new(),
            referred_as: referred_as.map(str::to_owned),
        }
    }

    #[test]
    fn a_topics_schema_is_named_after_its_file_and_an_imported_one_after_its_import() {
        let subject = |path, schema_type, referred| Strategy::Topic.subject_of(&file(path, schema_type, referred));
        assert_eq!(subject("schemas/a/orders.proto", SchemaType::Protobuf, None).as_deref(), Ok("orders-value"));
        assert_eq!(subject("orders-key.avsc", SchemaType::Avro, None).as_deref(), Ok("orders-key"));
        assert_eq!(subject("schemas/a/m.proto", SchemaType::Protobuf, Some("a/m.proto")).as_deref(), Ok("a/m.proto"));
        assert_eq!(subject("schemas/m.avsc", SchemaType::Avro, Some("shop.M")).as_deref(), Ok("shop.M"));
        assert_eq!(subject("schemas/a/m.json", SchemaType::Json, Some("../m.json")).as_deref(), Ok("a/m.json"));
    }

    #[test]
    fn records_and_files_name_all_alike() {
        let order = file("schemas/a/orders.proto", SchemaType::Protobuf, Some("a/orders.proto"));
        assert_eq!(Strategy::Record.subject_of(&order).as_deref(), Ok("shop.Order"));
        assert_eq!(Strategy::File.subject_of(&order).as_deref(), Ok("a/orders.proto"));
        let nameless = SchemaFile { outline: Outline::default(), ..order };
        assert!(Strategy::Record.subject_of(&nameless).is_err());
    }
}
