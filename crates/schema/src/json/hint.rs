//! Advice for incompatible changes of JSON Schemas.
//!
//! See [`crate::hint`]. Paths of differences are read as pointers into the stored texts. What always helps is the old
//! state at that very place, whatever the direction; where something smaller helps, or where the old state is not what
//! the author wants, that is said instead. Places that only a `$ref` leads to are named, not quoted.
//!
//! Source: the rules of `diff/`.

use serde_json::Value;

use crate::Difference;
use crate::compat::Direction;

/// A quotation longer than this is left to the author's memory, bytes.
const LONGEST_QUOTE: usize = 120;

/// See [`crate::hint::hint`]; the stored texts of both schemas.
pub(crate) fn hint(difference: &Difference, new: &str, old: &str, direction: Direction) -> Option<String> {
    let new: Value = serde_json::from_str(new).ok()?;
    let old: Value = serde_json::from_str(old).ok()?;
    let path = difference.path.as_str();
    let is_backward = direction == Direction::Backward;
    let (place, last) = path.trim_end_matches('/').rsplit_once('/').unwrap_or(("", ""));
    match difference.kind {
        "SCHEMA_ADDED" | "COMPARISON_TOO_COMPLEX" => None,
        "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL" if is_backward => Some(format!(
            "Give property `{last}` the empty schema `{{}}`: the object is open, so what was written before may hold \
             anything there. Or set the subject's compatibilityPolicy to LENIENT."
        )),
        "REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL" if is_backward => Some(format!(
            "Take `{last}` out of `required` and give it the empty schema `{{}}`: what was written before may lack it, \
             or hold anything there."
        )),
        "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL" if is_backward => {
            Some(format!("Take `{last}` out of `required`: what was written before lacks it."))
        }
        "REQUIRED_ATTRIBUTE_ADDED" if is_backward => {
            Some(format!("Take `{last}` out of `required`, as before: what was written before may lack it."))
        }
        "REQUIRED_ATTRIBUTE_ADDED" => Some(format!("Put `{last}` back into `required`.")),
        "TYPE_CHANGED" | "TYPE_NARROWED" if last.is_empty() => {
            Some("Register it under another subject: at the top it is another type altogether.".to_owned())
        }
        "TYPE_CHANGED" | "TYPE_NARROWED" if is_backward => {
            both_types(path, at(&new, path), at(&old, path)).or_else(|| restore(place, last, &new, &old))
        }
        _ if last.is_empty() => None,
        _ => restore(place, last, &new, &old),
    }
}

/// Two plain types can both be accepted.
fn both_types(path: &str, new: Option<&Value>, old: Option<&Value>) -> Option<String> {
    let types = |schema: Option<&Value>| -> Option<Vec<String>> {
        let object = schema?.as_object()?;
        let is_plain = object.keys().all(|key| matches!(key.as_str(), "type" | "title" | "description" | "default"));
        let named = match object.get("type")? {
            Value::String(name) => vec![name.clone()],
            Value::Array(names) => names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
            _ => return None,
        };
        is_plain.then_some(named)
    };
    let mut both = types(old)?;
    let new = types(new)?;
    both.extend(new.into_iter().filter(|name| !both.contains(name)).collect::<Vec<_>>());
    Some(format!("Accept both at {path}: `\"type\": {}`.", Value::from(both)))
}

/// The old state at a place.
fn restore(place: &str, last: &str, new: &Value, old: &Value) -> Option<String> {
    let shown = if place == "#" { "the top" } else { place };
    let Some(was_around) = at(old, place) else {
        // Behind a `$ref`, or gone with all around it.
        return Some(match at(new, place) {
            Some(_) => format!("Leave {place} out, as before."),
            None => format!("Keep {place}/{last} as it was."),
        });
    };
    let was = match was_around {
        Value::Array(items) => last.parse::<usize>().ok().and_then(|index| items.get(index)),
        other => other.get(last),
    };
    let quote = was.map(|was| match was_around {
        Value::Array(_) => was.to_string(),
        _ => format!("{}: {was}", Value::from(last)),
    });
    Some(match quote {
        Some(quote) if quote.len() <= LONGEST_QUOTE => format!("Keep `{quote}` at {shown}."),
        Some(_) => format!("Keep `{last}` at {shown} as it was."),
        None => format!("Leave `{last}` out at {shown}, as before."),
    })
}

/// What stands at a path of a difference.
fn at<'a>(schema: &'a Value, path: &str) -> Option<&'a Value> {
    let pointer = path.trim_start_matches('#');
    schema.pointer(if pointer == "/" { "" } else { pointer })
}
