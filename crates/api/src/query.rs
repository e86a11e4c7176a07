//! Query parameters, with the coercions of the reference.
//!
//! Of a repeated parameter the first counts; unknown ones are ignored; bad escapes stay as they are. Booleans never
//! fail, ints do: a text that is none means that there is no such resource (404). Source: schema-registry.md §1.1.

use std::borrow::Cow;

use crate::call::int;
use crate::error::HttpError;

/// A raw query string, read on demand.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    /// Reads `raw`, without the question mark.
    pub fn new(raw: &'a str) -> Query<'a> {
        Query(raw)
    }

    /// As it came.
    pub fn raw(&self) -> &'a str {
        self.0
    }

    /// Every `(name, value)`, decoded, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)> {
        self.0.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
    }

    /// The first value of this name.
    pub fn get(&self, name: &str) -> Option<Cow<'a, str>> {
        if self.0.is_empty() {
            return None;
        }
        self.pairs().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Every value of this name.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.pairs().filter(|(known, _)| known == name).map(|(_, value)| value.into_owned()).collect()
    }

    /// `true` in any case is true; absent and anything else is false.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// An int; `None` when absent or empty.
    pub fn int(&self, name: &str) -> Result<Option<i32>, HttpError> {
        match self.get(name) {
            None => Ok(None),
            Some(text) if text.is_empty() => Ok(None),
            Some(text) => int(&text).map(Some),
        }
    }
}

fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let spaced = text.replace('+', " ");
    Cow::Owned(percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_never_fail_and_the_first_of_a_repeated_parameter_counts() {
        let query = Query::new("a=True&b=1&c&d=true&d=false&e=%74rue");
        for (name, expected) in [("a", true), ("b", false), ("c", false), ("d", true), ("e", true), ("none", false)] {
            assert_eq!(query.flag(name), expected, "{name}");
        }
    }

    #[test]
    fn an_int_that_is_none_is_no_such_resource() {
        let query = Query::new("a=5&b=x&c=&d=-1&e=2147483648&f=%35");
        assert_eq!(query.int("a"), Ok(Some(5)));
        assert_eq!(query.int("b"), Err(HttpError::NotFound));
        assert_eq!(query.int("c"), Ok(None));
        assert_eq!(query.int("d"), Ok(Some(-1)));
        assert_eq!(query.int("e"), Err(HttpError::NotFound));
        assert_eq!(query.int("f"), Ok(Some(5)));
    }

    #[test]
    fn texts_are_decoded_and_bad_escapes_stay() {
        let query = Query::new("p=%3A.c%3Ax+y&q=%zz&r=%ff");
        assert_eq!(query.get("p").as_deref(), Some(":.c:x y"));
        assert_eq!(query.get("q").as_deref(), Some("%zz"));
        assert_eq!(query.get("r").as_deref(), Some("\u{fffd}"));
    }
}
