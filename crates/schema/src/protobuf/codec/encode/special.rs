//! Messages with a JSON form of their own: `Value`, timestamps, durations, field masks, `Any`.

use super::{Done, Encoder, MAX_MESSAGE_DEPTH, Mismatch};
use crate::payload::json::NoText;
use crate::payload::write::{fixed64, length_from, varint};
use crate::protobuf::codec::plan::{Field, Kind, Message, Shape};
use crate::protobuf::codec::wellknown;

impl<'p> Encoder<'p, '_, '_> {
    /// `google.protobuf.Value`: the member that the JSON value calls for.
    pub(super) fn dynamic_value(&mut self, plan: &'p Message) -> Done {
        let [_, number, text, boolean, object, list] = &*plan.fields else { return Ok(()) };
        match self.json.peek() {
            b'n' => {
                self.out.extend_from_slice(&[0x08, 0]);
                self.json.literal("null")
            }
            b'{' => self.inner(object),
            b'[' => self.inner(list),
            b'"' => self.element(text).map(drop),
            b't' | b'f' => self.element(boolean).map(drop),
            _ => {
                let at = self.json.at;
                if !matches!(self.json.peek(), b'-' | b'0'..=b'9') {
                    return self.json.malformed();
                }
                let (token, fractional) = self.json.number()?;
                match token.parse::<f64>() {
                    Ok(value) if value.is_finite() || !fractional => {
                        number.tag.push(self.out);
                        fixed64(if fractional || value != 0.0 { value } else { 0.0 }.to_bits(), self.out);
                        Ok(())
                    }
                    // Beyond the doubles a JSON tree holds the text "Infinity".
                    _ => {
                        self.json.at = at;
                        self.element(text).map(drop)
                    }
                }
            }
        }
    }

    /// A struct or list inside a `Value`, which does not count as nesting of its own.
    pub(super) fn inner(&mut self, field: &'p Field) -> Done {
        let Kind::Message(plan) = field.kind else { return Ok(()) };
        field.tag.push(self.out);
        let length = self.out.len();
        self.out.push(0);
        self.merge(&self.plans.messages[plan as usize])?;
        length_from(length, self.out);
        Ok(())
    }

    pub(super) fn parse_text(&mut self, what: &str, parse: fn(&str) -> Option<(i64, i32)>) -> Done {
        self.json.peek();
        let at = self.json.at;
        let parsed = match self.json.scalar_text() {
            Ok(text) => parse(&text),
            Err(NoText::Null | NoText::Object) => None,
            Err(no_text) => return Err(no_text.into_mismatch()),
        };
        let Some((seconds, nanos)) = parsed else {
            return self.complain(&format!("Failed to parse {what}: "), at);
        };
        for (tag, value) in [(0x08, seconds), (0x10, i64::from(nanos))] {
            if value != 0 {
                self.out.push(tag);
                varint(value as u64, self.out);
            }
        }
        Ok(())
    }

    pub(super) fn field_mask(&mut self, paths: &'p Field) -> Done {
        let text = self.json.scalar_text().map_err(NoText::into_mismatch)?;
        for path in text.split(',').filter(|path| !path.is_empty()) {
            paths.tag.push(self.out);
            self.text(&wellknown::lower_underscore(path));
        }
        Ok(())
    }

    pub(super) fn any(&mut self, plan: &'p Message) -> Done {
        let [type_url, value] = &*plan.fields else { return Ok(()) };
        self.json.peek();
        let start = self.json.at;
        if !self.json.take(b'{') {
            return self.complain("Expect message object but got: ", start);
        }
        if self.json.take(b'}') {
            return Ok(());
        }
        // Members may come in any order: find the two that decide, then read the object again.
        let (mut named, mut content) = (None, None);
        loop {
            let name = self.json.name()?.text()?;
            let span = self.json.skip()?;
            match &*name {
                "@type" => named = Some(span.start),
                "value" => content = Some(span.start),
                _ => {}
            }
            if !self.json.more(b'}')? {
                break;
            }
        }
        let end = self.json.at;
        let Some(named) = named else {
            return self.complain("Missing type url when parsing: ", start);
        };
        self.json.at = named;
        let url = self.json.scalar_text().map_err(NoText::into_mismatch)?;
        let Some((_, name)) = url.rsplit_once('/') else {
            return Err(Mismatch(format!("Invalid type url found: {url}")));
        };
        let Some(inner) = self.plans.by_name.get(name) else {
            return Err(Mismatch(format!("Cannot resolve type: {url}")));
        };
        let inner = &self.plans.messages[*inner as usize];
        if self.depth >= MAX_MESSAGE_DEPTH {
            return Err(Mismatch("Hit recursion limit.".to_owned()));
        }
        type_url.tag.push(self.out);
        self.text(&url);
        let before = self.out.len();
        value.tag.push(self.out);
        let length = self.out.len();
        self.out.push(0);
        self.depth += 1;
        if inner.shape == Shape::Fields {
            self.json.at = start;
            self.message(inner, true)?;
        } else if let Some(content) = content {
            self.json.at = content;
            self.merge(inner)?;
        }
        self.depth -= 1;
        if self.out.len() == length + 1 {
            self.out.truncate(before);
        } else {
            length_from(length, self.out);
        }
        self.json.at = end;
        Ok(())
    }
}

impl NoText {
    /// What a JSON tree says when asked for the text of such a value.
    pub(super) fn into_mismatch(self) -> Mismatch {
        match self {
            NoText::Null => Mismatch("JsonNull".to_owned()),
            NoText::Object => Mismatch("JsonObject".to_owned()),
            NoText::Size(size) => Mismatch(format!("Array must have size 1, but has size {size}")),
            NoText::Malformed(mismatch) => mismatch,
        }
    }
}
