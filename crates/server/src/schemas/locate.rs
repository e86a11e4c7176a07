//! Lines: where in a file something stands that a message speaks of. Best effort; line 1 when nobody can tell.

use serde_json::Value;
use sluice_schema::SchemaType;

/// The line that a parser's message names: `:3:14:`, `line 3 column 5`.
pub(crate) fn in_message(message: &str) -> Option<usize> {
    let after_colon = message.split(':').skip(1).find_map(|part| part.trim().parse().ok());
    let named = message.split_once("line ").and_then(|(_, rest)| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    });
    named.or(after_colon).filter(|line| *line > 0)
}

/// The first line that holds this text.
pub(crate) fn word(text: &str, word: &str) -> usize {
    text.lines().position(|line| line.contains(word)).map_or(1, |at| at + 1)
}

/// The path that a compatibility message quotes: `… at path '#/M/1' …`, `(path '/fields/0')`.
pub(crate) fn path_in(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("path '").or_else(|| message.split_once("path: '"))?;
    rest.split_once('\'').map(|(path, _)| path)
}

/// The line at which the path of a difference ends.
pub(crate) fn path(schema_type: SchemaType, text: &str, path: &str) -> usize {
    let segments = path.trim_start_matches('#').split('/').filter(|segment| !segment.is_empty());
    match schema_type {
        SchemaType::Protobuf => in_proto(text, segments),
        SchemaType::Avro | SchemaType::Json => in_json(text, segments),
    }
}

/// Names of messages and oneofs, one inside the other, then the number of a field.
fn in_proto<'a>(text: &str, segments: impl Iterator<Item = &'a str>) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0;
    for segment in segments {
        let is_here = |line: &&str| match segment.parse::<i32>() {
            Ok(tag) => line.split('=').skip(1).any(|rest| {
                let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
                digits.parse() == Ok(tag)
            }),
            Err(_) => ["message", "oneof", "enum"].iter().any(|keyword| {
                let mut words =
                    line.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
                words.any(|word| word == *keyword) && words.next() == Some(segment)
            }),
        };
        // What is not here was removed: the line of what held it is the best there is.
        at += lines[at..].iter().position(is_here).unwrap_or(0);
    }
    at + 1
}

/// A JSON pointer: the line of the last key, or of the last `name` on the way.
fn in_json<'a>(text: &str, segments: impl Iterator<Item = &'a str>) -> usize {
    let Ok(mut value) = serde_json::from_str::<Value>(text) else { return 1 };
    let mut last = None;
    for segment in segments {
        let next = match &value {
            Value::Object(object) => {
                last = Some(segment.to_owned());
                object.get(segment)
            }
            Value::Array(items) => segment.parse::<usize>().ok().and_then(|index| items.get(index)),
            _ => None,
        };
        let Some(next) = next.cloned() else { break };
        if let Some(name) = next.get("name").and_then(Value::as_str) {
            last = Some(name.to_owned());
        }
        value = next;
    }
    last.map_or(1, |name| word(text, &format!("\"{name}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsers_say_where() {
        assert_eq!(in_message("Could not parse Protobuf - Syntax error in :12:36: unexpected label"), Some(12));
        assert_eq!(in_message("expected value at line 3 column 5"), Some(3));
        assert_eq!(in_message("no such thing"), None);
    }

    #[test]
    fn a_protobuf_path_leads_to_its_field() {
        let text = "syntax = \"proto3\";\nmessage A {\n  int32 x = 1;\n}\nmessage B {\n  message A {\n    int32 y = 10;\n    \
                    oneof o {\n      string z = 1 [deprecated = true];\n    }\n  }\n}\n";
        let line = |at| path(SchemaType::Protobuf, text, at);
        assert_eq!(line("#/A/1"), 3);
        assert_eq!(line("#/B/A/10"), 7);
        assert_eq!(line("#/B/A/o/1"), 9);
        assert_eq!(line("#/B/A/7"), 6, "removed: its message");
        assert_eq!(line("#/"), 1);
        let message = r#"{errorType:"FIELD_KIND_CHANGED", description:"The type of a field at path '#/A/1' in the"}"#;
        assert_eq!(path_in(message), Some("#/A/1"));
    }

    #[test]
    fn a_json_path_leads_to_its_key_or_name() {
        let avro = "{\"type\": \"record\", \"name\": \"R\",\n \"fields\": [\n  {\"name\": \"a\", \"type\": \"int\"},\n  \
                    {\"name\": \"b\",\n   \"type\": \"int\"}]}";
        assert_eq!(path(SchemaType::Avro, avro, "/fields/1"), 4);
        assert_eq!(path(SchemaType::Avro, avro, "/fields/0"), 3);
        let json = "{\n \"properties\": {\n  \"a\": {},\n  \"b\": {}\n }\n}";
        assert_eq!(path(SchemaType::Json, json, "#/properties/b"), 4);
        assert_eq!(path(SchemaType::Json, json, "#/"), 1);
    }
}
