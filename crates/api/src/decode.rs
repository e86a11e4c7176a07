//! From JSON to the values of requests, with the coercions of the reference.
//!
//! Numbers and booleans are taken for texts; `"6"` and `1.5` for ints; `"true"` and 1 for booleans; `null` counts as
//! absent; of duplicate names the last wins. Unknown names are ignored ([`Fields::done`]) or refused with 422
//! ([`Fields::refuse_unknown`]), as the surface has it.
//!
//! Source: Jackson's default coercions, as recorded (`bad-*`, `config-bad-*`, `core-version-field`).

use std::borrow::Cow;

use crate::body;
use crate::error::HttpError;
use crate::json::{self, Json};

fn refuse<T>(text: String) -> Result<T, HttpError> {
    Err(HttpError::BadBody(text))
}

/// The JSON value of a body; `None` if it is empty, blank or `null`.
pub fn document(text: &str) -> Result<Option<Json<'_>>, HttpError> {
    Ok(json::parse(text)?.filter(|value| *value != Json::Null))
}

/// The JSON object of a body. `missing` is the text of the 422 for an empty body.
pub fn object<'a>(text: &'a str, entity: &'static str, missing: &'static str) -> Result<Fields<'a>, HttpError> {
    let value = document(text)?.ok_or_else(|| HttpError::Unprocessable(missing.to_owned()))?;
    Fields::of(value, entity)
}

/// [`object`] for a handler that holds the body's bytes.
pub fn body_text(bytes: &[u8]) -> Result<Cow<'_, str>, HttpError> {
    body::text(bytes)
}

/// The fields of an object, to be taken one by one.
#[derive(Debug)]
pub struct Fields<'a>(Vec<(Cow<'a, str>, Json<'a>)>);

impl<'a> Fields<'a> {
    /// The fields of `value`, which must be an object; `entity` names it in the 400.
    pub fn of(value: Json<'a>, entity: &str) -> Result<Fields<'a>, HttpError> {
        match value {
            Json::Object(fields) => Ok(Fields(fields)),
            Json::List(_) => mismatch(entity, &value),
            _ => no_constructor(entity, &value),
        }
    }

    /// Takes the field out; `None` if it is absent or `null`. Of duplicates the last.
    pub fn take(&mut self, name: &str) -> Option<Json<'a>> {
        self.take_nullable(name).flatten()
    }

    /// Takes the field out: `None` if it is absent, `Some(None)` if it is `null`.
    pub fn take_nullable(&mut self, name: &str) -> Option<Option<Json<'a>>> {
        let mut taken = None;
        self.0.retain_mut(|(known, value)| {
            let matches = known == name;
            if matches {
                taken = Some(std::mem::replace(value, Json::Null));
            }
            !matches
        });
        taken.map(|value| Some(value).filter(|value| *value != Json::Null))
    }

    /// A text.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, HttpError> {
        self.take(name).map(text).transpose()
    }

    /// An int of 32 bits. An empty text counts as absent.
    pub fn int(&mut self, name: &str) -> Result<Option<i32>, HttpError> {
        Ok(self.take(name).map(int).transpose()?.flatten())
    }

    /// A boolean. An empty text counts as absent.
    pub fn flag(&mut self, name: &str) -> Result<Option<bool>, HttpError> {
        Ok(self.take(name).map(flag).transpose()?.flatten())
    }

    /// A list, each element by `read`; absent is empty. `element` names an element in the 400.
    pub fn list<T>(
        &mut self,
        name: &str,
        element: &str,
        read: impl Fn(Json<'a>) -> Result<T, HttpError>,
    ) -> Result<Vec<T>, HttpError> {
        self.take(name).map_or(Ok(Vec::new()), |value| list(value, element, read))
    }

    /// Every field that was not taken, in order: for maps.
    pub fn rest(self) -> impl Iterator<Item = (String, Json<'a>)> {
        self.0.into_iter().map(|(name, value)| (name.into_owned(), value))
    }

    /// Ignores what was not taken.
    pub fn done(self) {}

    /// 422 if anything was not taken.
    pub fn refuse_unknown(self) -> Result<(), HttpError> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(HttpError::Unprocessable(format!("Unrecognized field: {name}"))),
        }
    }
}

/// A list of `element`s.
pub fn list<'a, T>(
    value: Json<'a>,
    element: &str,
    read: impl Fn(Json<'a>) -> Result<T, HttpError>,
) -> Result<Vec<T>, HttpError> {
    match value {
        Json::List(items) => items.into_iter().map(read).collect(),
        other => mismatch(&format!("{element}>"), &other),
    }
}

/// A text, or a scalar taken for one. `null` is refused.
pub fn text(value: Json<'_>) -> Result<String, HttpError> {
    match value {
        Json::Text(text) => Ok(text.into_owned()),
        Json::Number(number) => Ok(number.to_owned()),
        Json::Bool(value) => Ok(value.to_string()),
        Json::Null | Json::List(_) | Json::Object(_) => mismatch("String", &value),
    }
}

/// One of `known`, with its case; `entity` names the enumeration in the 400.
pub fn word(value: Json<'_>, entity: &str, known: &[&'static str]) -> Result<&'static str, HttpError> {
    let Json::Text(text) = &value else { return mismatch(entity, &value) };
    known.iter().find(|word| *word == text).copied().ok_or_else(|| {
        let (text, known) = (shortened(text), known.join(", "));
        HttpError::BadBody(format!(
            "Cannot deserialize value of type `{entity}` from String \"{text}\": not one of the values accepted for Enum class: [{known}]"
        ))
    })
}

/// An int; `None` for an empty text. Fractions are cut off.
pub fn int(value: Json<'_>) -> Result<Option<i32>, HttpError> {
    match &value {
        Json::Number(number) => {
            let whole = number.parse::<i32>().ok();
            // Truncated towards zero. A double holds every int exactly.
            let cut = || number.parse::<f64>().ok().map(f64::trunc).filter(|n| n.abs() <= f64::from(i32::MAX) + 1.0);
            let fits = |n: f64| (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&n).then_some(n as i32);
            match whole.or_else(|| cut().and_then(fits)) {
                Some(int) => Ok(Some(int)),
                None => refuse(format!(
                    "Numeric value ({}) out of range of int ({} - {})",
                    shortened(number),
                    i32::MIN,
                    i32::MAX
                )),
            }
        }
        Json::Text(text) if text.trim().is_empty() => Ok(None),
        Json::Text(text) => match text.trim().parse() {
            Ok(int) => Ok(Some(int)),
            Err(_) => refuse(format!(
                "Cannot deserialize value of type `Integer` from String \"{}\": not a valid `java.lang.Integer` value",
                shortened(text)
            )),
        },
        Json::Null | Json::Bool(_) | Json::List(_) | Json::Object(_) => mismatch("Integer", &value),
    }
}

/// A boolean; `None` for an empty text.
pub fn flag(value: Json<'_>) -> Result<Option<bool>, HttpError> {
    boolean(value, ("Boolean", "\"true\" or \"false\""))
}

/// As [`flag`], for a field that the reference keeps as a primitive: its refusals read otherwise.
pub fn primitive_flag(value: Json<'_>) -> Result<bool, HttpError> {
    let known = "\"true\"/\"True\"/\"TRUE\" or \"false\"/\"False\"/\"FALSE\"";
    Ok(boolean(value, ("boolean", known))?.unwrap_or(false))
}

fn boolean(value: Json<'_>, (entity, known): (&str, &str)) -> Result<Option<bool>, HttpError> {
    match &value {
        Json::Bool(flag) => Ok(Some(*flag)),
        Json::Number(number) if number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => {
            Ok(Some(number.bytes().any(|byte| matches!(byte, b'1'..=b'9'))))
        }
        Json::Text(text) => match text.trim() {
            "" => Ok(None),
            "true" | "True" | "TRUE" => Ok(Some(true)),
            "false" | "False" | "FALSE" => Ok(Some(false)),
            other => refuse(format!(
                "Cannot deserialize value of type `{entity}` from String \"{}\": only {known} recognized",
                shortened(other)
            )),
        },
        Json::Null | Json::Number(_) | Json::List(_) | Json::Object(_) => mismatch(entity, &value),
    }
}

/// 400: a value of another kind than `entity` is read from.
pub fn mismatch<T>(entity: &str, value: &Json<'_>) -> Result<T, HttpError> {
    let (kind, token) = match value {
        Json::Null => ("Null", "VALUE_NULL"),
        Json::Bool(true) => ("Boolean", "VALUE_TRUE"),
        Json::Bool(false) => ("Boolean", "VALUE_FALSE"),
        Json::Number(number) if number.contains(['.', 'e', 'E']) => ("Floating-point", "VALUE_NUMBER_FLOAT"),
        Json::Number(_) => ("Integer", "VALUE_NUMBER_INT"),
        Json::Text(_) => ("String", "VALUE_STRING"),
        Json::List(_) => ("Array", "START_ARRAY"),
        Json::Object(_) => ("Object", "START_OBJECT"),
    };
    refuse(format!("Cannot deserialize value of type `{entity}` from {kind} value (token `JsonToken.{token}`)"))
}

/// 400: a scalar where an object (or a set) should be.
pub fn no_constructor<T>(entity: &str, value: &Json<'_>) -> Result<T, HttpError> {
    let (constructor, found) = match value {
        Json::Number(n) if n.contains(['.', 'e', 'E']) => ("double/Double", format!("Number value ({})", shortened(n))),
        Json::Number(n) => ("int/Int", format!("Number value ({})", shortened(n))),
        Json::Text(text) => ("String", format!("String value ('{}')", shortened(text))),
        Json::Bool(value) => ("boolean/Boolean", format!("boolean value ({value})")),
        Json::Null | Json::List(_) | Json::Object(_) => return mismatch(entity, value),
    };
    refuse(format!(
        "Cannot construct instance of `{entity}` (although at least one Creator exists): no {constructor}-argument constructor/factory method to deserialize from {found}"
    ))
}

/// At most the first 200 characters: messages stay short whatever was sent.
fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields<'_> {
        object(text, "Thing", "thing must not be null (was null)").unwrap()
    }

    #[test]
    fn scalars_are_coerced_as_the_reference_coerces_them() {
        let mut f = fields(
            r#"{"a":1,"b":true,"c":"x","d":null,"i":1.5,"j":"6","k":" -7 ","l":"","m":1,"n":0,"o":"True","p":"","q":-1.9}"#,
        );
        assert_eq!(f.text("a").unwrap().as_deref(), Some("1"));
        assert_eq!(f.text("b").unwrap().as_deref(), Some("true"));
        assert_eq!(f.text("c").unwrap().as_deref(), Some("x"));
        assert_eq!((f.text("d").unwrap(), f.text("none").unwrap()), (None, None));
        assert_eq!((f.int("i").unwrap(), f.int("j").unwrap(), f.int("k").unwrap()), (Some(1), Some(6), Some(-7)));
        assert_eq!((f.int("l").unwrap(), f.int("q").unwrap()), (None, Some(-1)));
        assert_eq!((f.flag("m").unwrap(), f.flag("n").unwrap()), (Some(true), Some(false)));
        assert_eq!((f.flag("o").unwrap(), f.flag("p").unwrap()), (Some(true), None));
    }

    #[test]
    fn what_cannot_be_coerced_is_400_in_the_reference_s_words() {
        let mut f = fields(r#"{"s":[1],"i":"x","big":2147483648,"b":"yes","l":"x","w":"up"}"#);
        let text = |error: HttpError| error.wire().message.into_owned();
        assert_eq!(
            text(f.text("s").unwrap_err()),
            "Cannot deserialize value of type `String` from Array value (token `JsonToken.START_ARRAY`)"
        );
        assert_eq!(
            text(f.int("i").unwrap_err()),
            "Cannot deserialize value of type `Integer` from String \"x\": not a valid `java.lang.Integer` value"
        );
        assert!(f.int("big").is_err());
        assert_eq!(
            text(f.flag("b").unwrap_err()),
            "Cannot deserialize value of type `Boolean` from String \"yes\": only \"true\" or \"false\" recognized"
        );
        assert_eq!(
            text(f.list("l", "Item", super::text).unwrap_err()),
            "Cannot deserialize value of type `Item>` from String value (token `JsonToken.VALUE_STRING`)"
        );
        assert!(word(f.take("w").unwrap(), "Mode", &["UP", "DOWN"]).is_err());
    }

    #[test]
    fn null_differs_from_absent_where_it_matters_and_the_last_duplicate_wins() {
        let mut f = fields(r#"{"a":null,"b":1,"b":2}"#);
        assert_eq!(f.take_nullable("a"), Some(None));
        assert_eq!(f.take_nullable("c"), None);
        assert_eq!(f.int("b").unwrap(), Some(2));
        f.refuse_unknown().unwrap();
    }

    #[test]
    fn bodies_that_are_no_objects_are_told_apart() {
        let status = |text| match object(text, "Thing", "arg must not be null (was null)") {
            Ok(_) => 200,
            Err(error) => error.wire().status.as_u16(),
        };
        let cases =
            [("", 422), (" ", 422), ("null", 422), ("[]", 400), ("1", 400), ("\"x\"", 400), ("{", 400), ("{}", 200)];
        for (text, expected) in cases {
            assert_eq!(status(text), expected, "{text:?}");
        }
        let unknown = fields(r#"{"x":1}"#).refuse_unknown().unwrap_err().wire();
        assert_eq!((unknown.code, &*unknown.message), (422, "Unrecognized field: x"));
    }
}
