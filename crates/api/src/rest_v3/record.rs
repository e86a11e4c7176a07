//! One record of a produce stream: JSON tokens → [`RecordRequest`], with the reference's coercions and refusals.
//!
//! Numbers may be texts and texts numbers where the reference takes them; the last of a repeated field counts; what an
//! object must hold is judged at its end, before the fields it does not know. The first thing that is wrong is the
//! answer, and the reader stays where it was met, so that the stream can find its way back.
//!
//! Pure. Borrows from the body wherever no escape is in the way.
//!
//! Source: kafka-rest `entities/v3/ProduceRequest` as Jackson reads it, 8.5; rest-proxy.md §2.2–2.4; recordings
//! `produce-*`, `schema-combinations*`.

use std::borrow::Cow;
use std::collections::HashMap;

use sluice_data_plane::record::{
    Data, EmbeddedFormat, Encoding, RecordHeader, RecordRequest, SchemaChoice, SideRequest, Strategy, SubjectChoice,
};

use super::timestamp;
use super::tokens::{Reader, Stop, Token};

type Read<T> = Result<T, Stop>;

fn bad<T>(text: impl Into<String>) -> Read<T> {
    Err(Stop::Bad(text.into()))
}

/// What a token is called in a refusal.
fn kind(token: Token) -> &'static str {
    match token {
        Token::ObjectStart | Token::ObjectEnd => "Object value (token `JsonToken.START_OBJECT`)",
        Token::ArrayStart | Token::ArrayEnd => "Array value (token `JsonToken.START_ARRAY`)",
        Token::Text | Token::Name(_) => "String value (token `JsonToken.VALUE_STRING`)",
        Token::Number { is_integer: true, .. } => "Integer value (token `JsonToken.VALUE_NUMBER_INT`)",
        Token::Number { .. } => "Floating-point value (token `JsonToken.VALUE_NUMBER_FLOAT`)",
        Token::True => "Boolean value (token `JsonToken.VALUE_TRUE`)",
        Token::False => "Boolean value (token `JsonToken.VALUE_FALSE`)",
        Token::Null | Token::End => "Null value (token `JsonToken.VALUE_NULL`)",
    }
}

fn mismatch<T>(wanted: &str, token: Token) -> Read<T> {
    bad(format!("Cannot deserialize value of type `{wanted}` from {}", kind(token)))
}

/// The refusal of something that is no object where a record is expected. Reads a text to its end, as the reference.
pub(super) fn refuse_scalar(reader: &mut Reader<'_, '_>, token: Token) -> Stop {
    if token == Token::Text
        && let Err(stop) = reader.text()
    {
        return stop;
    }
    match mismatch::<()>("ProduceRequest", token) {
        Err(stop) => stop,
        Ok(()) => Stop::Bad(String::new()),
    }
}

/// The record whose `{` was just read.
pub(super) fn read<'b>(reader: &mut Reader<'b, '_>) -> Read<RecordRequest<'b>> {
    let mut record = RecordRequest::default();
    let mut headers = Headers::default();
    let mut late_partition = None;
    let mut unknown = Unknown::default();
    while let Some(name) = next_name(reader)? {
        match &*name {
            "value" => record.value = side(reader)?,
            "key" => record.key = side(reader)?,
            "headers" => headers = read_headers(reader)?,
            "timestamp" => record.timestamp_ms = read_timestamp(reader)?,
            "partition_id" => record.partition = int(reader)?,
            // Not meant for clients, but taken, after everything else.
            "partitionId" => late_partition = Some(int(reader)?),
            "originalSize" => {
                long(reader)?;
            }
            _ => unknown.skip(reader, name)?,
        }
    }
    if let Some(index) = headers.null_at {
        return bad(format!("Cannot construct instance of `ProduceRequest`, problem: at index {index}"));
    }
    unknown.refuse("ProduceRequest", "value, originalSize, partitionId, headers, key, timestamp")?;
    if let Some(partition) = late_partition {
        record.partition = partition;
    }
    record.headers = headers.grouped();
    Ok(record)
}

/// The next field's name, or `None` at the end of the object.
fn next_name<'b>(reader: &mut Reader<'b, '_>) -> Read<Option<Cow<'b, str>>> {
    match reader.next()? {
        Token::Name(span) => Ok(Some(reader.str(span))),
        _ => Ok(None),
    }
}

/// The first field that an object does not have.
#[derive(Default)]
struct Unknown(Option<String>);

impl Unknown {
    fn skip(&mut self, reader: &mut Reader<'_, '_>, name: Cow<'_, str>) -> Read<()> {
        let token = reader.next()?;
        reader.skip(token)?;
        self.0.get_or_insert_with(|| name.chars().take(200).collect());
        Ok(())
    }

    fn refuse(self, object: &str, known: &str) -> Read<()> {
        match self.0 {
            Some(name) => {
                bad(format!("Unrecognized field \"{name}\" ({object}), not marked as ignorable (known: {known})"))
            }
            None => Ok(()),
        }
    }
}

#[derive(Default)]
struct SideFields<'b> {
    format: Option<EmbeddedFormat>,
    subject: Option<Cow<'b, str>>,
    strategy: Option<Strategy>,
    schema_id: Option<i32>,
    schema_version: Option<i32>,
    schema: Option<Cow<'b, str>>,
    data: Option<Data<'b>>,
}

/// A key or value; `None` for `null`.
fn side<'b>(reader: &mut Reader<'b, '_>) -> Read<Option<SideRequest<'b>>> {
    match reader.next()? {
        Token::Null => return Ok(None),
        Token::ObjectStart => {}
        token => return mismatch("ProduceRequestData", token),
    }
    let mut fields = SideFields::default();
    let mut unknown = Unknown::default();
    while let Some(name) = next_name(reader)? {
        match &*name {
            "data" => fields.data = Some(data(reader)?),
            "type" => fields.format = word(reader, "EmbeddedFormat", &EmbeddedFormat::ALL, EmbeddedFormat::wire)?,
            "schema" => fields.schema = text(reader)?,
            "schema_id" => fields.schema_id = int(reader)?,
            "schema_version" => fields.schema_version = int(reader)?,
            "subject" => fields.subject = text(reader)?,
            "subject_name_strategy" => {
                fields.strategy = word(reader, "EnumSubjectNameStrategy", &Strategy::ALL, Strategy::wire)?;
            }
            _ => unknown.skip(reader, name)?,
        }
    }
    let request = fields.request().map_err(|problem| {
        Stop::Bad(format!("Cannot construct instance of `ProduceRequestData`, problem: {problem}"))
    })?;
    unknown.refuse(
        "ProduceRequestData",
        "schema, subject_name_strategy, schema_id, type, subject, schema_version, data",
    )?;
    Ok(Some(request))
}

impl<'b> SideFields<'b> {
    /// What the fields mean together, or which of them exclude each other.
    fn request(self) -> Result<SideRequest<'b>, String> {
        let data = self.data.ok_or("Null data")?;
        if self.strategy.is_some() && self.subject.is_some() {
            return Err("Only one of 'subject_name_strategy' or 'subject' can be used.".to_owned());
        }
        let named = [self.schema_id.is_some(), self.schema_version.is_some(), self.schema.is_some()];
        if named.iter().filter(|is_there| **is_there).count() > 1 {
            return Err("Only one of 'schema_id', 'schema_version' or 'schema' can be used.".to_owned());
        }
        if let Some(EmbeddedFormat::Plain(format)) = self.format {
            let present = [
                (self.strategy.is_some(), "subject_strategy"),
                (self.subject.is_some(), "subject"),
                (self.schema_id.is_some(), "schema_id"),
                (self.schema_version.is_some(), "schema_version"),
                (self.schema.is_some(), "schema"),
            ];
            if let Some((_, field)) = present.into_iter().find(|(is_there, _)| *is_there) {
                let format = EmbeddedFormat::Plain(format);
                return Err(format!("'type={format}' cannot be used with '{field}'."));
            }
            return Ok(SideRequest { encoding: Encoding::Plain(format), data });
        }
        let subject = match (self.subject, self.strategy) {
            (Some(name), _) => SubjectChoice::Named(name),
            (None, Some(strategy)) => SubjectChoice::Strategy(strategy),
            (None, None) => SubjectChoice::Default,
        };
        let schema = match (self.format, self.schema_id, self.schema_version, self.schema) {
            (Some(EmbeddedFormat::Schema(language)), None, None, Some(text)) => SchemaChoice::Text(language, text),
            (Some(_), Some(id), ..) => return Err(format!("'schema_id={id}' cannot be used with 'serializer'.")),
            (Some(_), _, Some(version), _) => {
                return Err(format!("'schema_version={version}' cannot be used with 'serializer'."));
            }
            (Some(_), ..) => return Err("'schema_version=latest' cannot be used with 'serializer'.".to_owned()),
            (None, Some(id), ..) => SchemaChoice::Id(id),
            (None, _, Some(version), _) => SchemaChoice::Version(version),
            (None, None, None, None) => SchemaChoice::Latest,
            (None, None, None, Some(_)) => return Err("'schema' cannot be used without 'type'.".to_owned()),
        };
        Ok(SideRequest { encoding: Encoding::Schema(schema, subject), data })
    }
}

/// Any JSON, as it stands.
fn data<'b>(reader: &mut Reader<'b, '_>) -> Read<Data<'b>> {
    let token = reader.next()?;
    let start = match token {
        Token::Null => return Ok(Data::Null),
        Token::Text => {
            let span = reader.text()?;
            let json = reader.bytes.get(span.start - 1..span.end + 1).unwrap_or_default();
            return Ok(Data::Text { text: reader.str(span), json });
        }
        Token::Number { span, .. } => return Ok(Data::Other(reader.raw(span))),
        Token::True => return Ok(Data::Other(b"true")),
        Token::False => return Ok(Data::Other(b"false")),
        Token::ObjectStart | Token::ArrayStart => reader.at - 1,
        Token::Name(_) | Token::ObjectEnd | Token::ArrayEnd | Token::End => return mismatch("JsonNode", token),
    };
    reader.skip(token)?;
    Ok(Data::Other(reader.bytes.get(start..reader.at).unwrap_or_default()))
}

/// An int as Jackson coerces it: texts are trimmed, an empty one or `null` is none, fractions are cut off.
fn int(reader: &mut Reader<'_, '_>) -> Read<Option<i32>> {
    match number(reader, "Integer")? {
        None => Ok(None),
        Some((value, shown)) => match i32::try_from(value) {
            Ok(value) => Ok(Some(value)),
            Err(_) => bad(format!("Numeric value ({shown}) out of range of int ({} - {})", i32::MIN, i32::MAX)),
        },
    }
}

/// A long, likewise.
fn long(reader: &mut Reader<'_, '_>) -> Read<Option<i64>> {
    match number(reader, "long")? {
        None => Ok(None),
        Some((value, shown)) => match i64::try_from(value) {
            Ok(value) => Ok(Some(value)),
            Err(_) => bad(format!("Numeric value ({shown}) out of range of long ({} - {})", i64::MIN, i64::MAX)),
        },
    }
}

fn number<'b>(reader: &mut Reader<'b, '_>, wanted: &str) -> Read<Option<(i128, Cow<'b, str>)>> {
    match reader.next()? {
        Token::Null => Ok(None),
        Token::Number { span, is_integer } => {
            let shown = reader.str(span);
            let value = if is_integer {
                // Too long for 128 bits is out of every range.
                shown.parse::<i128>().unwrap_or(i128::MAX)
            } else {
                shown.parse::<f64>().unwrap_or(f64::MAX).trunc() as i128
            };
            Ok(Some((value, shown)))
        }
        Token::Text => {
            let span = reader.text()?;
            let shown = reader.str(span);
            let trimmed = shown.trim();
            if trimmed.is_empty() || trimmed == "null" {
                return Ok(None);
            }
            match trimmed.parse::<i128>() {
                Ok(value) => Ok(Some((value, shown))),
                Err(_) => bad(format!(
                    "Cannot deserialize value of type `{wanted}` from String \"{}\": not a valid `{wanted}` value",
                    short(&shown)
                )),
            }
        }
        token => mismatch(wanted, token),
    }
}

/// A text; numbers and booleans count as the text they are written as.
fn text<'b>(reader: &mut Reader<'b, '_>) -> Read<Option<Cow<'b, str>>> {
    match reader.next()? {
        Token::Null => Ok(None),
        Token::Text => {
            let span = reader.text()?;
            Ok(Some(reader.str(span)))
        }
        Token::Number { span, .. } => Ok(Some(reader.str(span))),
        Token::True => Ok(Some("true".into())),
        Token::False => Ok(Some("false".into())),
        token => mismatch("String", token),
    }
}

/// A word of an enumeration, with its case; or its number, counted from 0.
fn word<T: Copy>(
    reader: &mut Reader<'_, '_>,
    wanted: &str,
    all: &[T],
    wire: impl Fn(T) -> &'static str,
) -> Read<Option<T>> {
    let by_number = |shown: &str| -> Read<Option<T>> {
        match shown.parse::<usize>().ok().and_then(|index| all.get(index)) {
            Some(value) => Ok(Some(*value)),
            None => bad(format!(
                "Cannot deserialize value of type `{wanted}` from number {}: index value outside legal index range \
                 [0..{}]",
                short(shown),
                all.len() - 1
            )),
        }
    };
    match reader.next()? {
        Token::Null => Ok(None),
        Token::Number { span, is_integer: true } => by_number(&reader.str(span)),
        Token::Text => {
            let span = reader.text()?;
            let shown = reader.str(span);
            let trimmed = shown.trim();
            if let Some(value) = all.iter().find(|value| wire(**value) == trimmed) {
                return Ok(Some(*value));
            }
            if trimmed.is_empty() {
                return bad(format!("Cannot coerce empty String (\"{}\") to `{wanted}` value", short(&shown)));
            }
            if trimmed == "0" || trimmed.starts_with(|first: char| first.is_ascii_digit() && first != '0') {
                return by_number(trimmed);
            }
            let words: Vec<&str> = all.iter().map(|value| wire(*value)).collect();
            bad(format!(
                "Cannot deserialize value of type `{wanted}` from String \"{}\": not one of the values accepted for \
                 Enum class: [{}]",
                short(&shown),
                words.join(", ")
            ))
        }
        token => mismatch(wanted, token),
    }
}

fn read_timestamp(reader: &mut Reader<'_, '_>) -> Read<Option<i64>> {
    let (millis, shown) = match reader.next()? {
        Token::Null => return Ok(None),
        Token::Number { span, .. } => {
            let shown = reader.str(span);
            (timestamp::from_seconds(&shown), shown)
        }
        Token::Text => {
            let span = reader.text()?;
            let shown = reader.str(span);
            if shown.trim().is_empty() {
                return Ok(None);
            }
            (timestamp::from_text(&shown), shown)
        }
        token => return mismatch("Instant", token),
    };
    match millis {
        Some(millis) => Ok(Some(millis)),
        None => bad(format!(
            "Cannot deserialize value of type `Instant` from String \"{0}\": Text '{0}' could not be parsed",
            short(&shown)
        )),
    }
}

#[derive(Default)]
struct Headers<'b> {
    list: Vec<RecordHeader<'b>>,
    null_at: Option<usize>,
}

impl<'b> Headers<'b> {
    /// Headers of one name stand together, in the order in which names first appear.
    fn grouped(self) -> Vec<RecordHeader<'b>> {
        let mut list = self.list;
        if list.len() < 3 {
            return list;
        }
        let mut places: HashMap<&str, usize> = HashMap::new();
        let order: Vec<usize> = list
            .iter()
            .map(|header| {
                let next = places.len();
                *places.entry(&header.name).or_insert(next)
            })
            .collect();
        if !order.is_sorted() {
            let mut keyed: Vec<_> = order.into_iter().zip(std::mem::take(&mut list)).collect();
            keyed.sort_by_key(|(place, _)| *place);
            list = keyed.into_iter().map(|(_, header)| header).collect();
        }
        list
    }
}

fn read_headers<'b>(reader: &mut Reader<'b, '_>) -> Read<Headers<'b>> {
    let mut headers = Headers::default();
    match reader.next()? {
        Token::Null => return Ok(headers),
        Token::ArrayStart => {}
        token => return mismatch("ArrayList<ProduceRequestHeader>", token),
    }
    for index in 0.. {
        match reader.next()? {
            Token::ArrayEnd => break,
            Token::Null => {
                headers.null_at.get_or_insert(index);
            }
            Token::ObjectStart => headers.list.push(header(reader)?),
            Token::Text => {
                reader.text()?;
                return mismatch("ProduceRequestHeader", Token::Text);
            }
            token => return mismatch("ProduceRequestHeader", token),
        }
    }
    Ok(headers)
}

fn header<'b>(reader: &mut Reader<'b, '_>) -> Read<RecordHeader<'b>> {
    let (mut header_name, mut value) = (None, None);
    let mut unknown = Unknown::default();
    while let Some(name) = next_name(reader)? {
        match &*name {
            "name" => header_name = text(reader)?,
            "value" => value = bytes(reader)?,
            _ => unknown.skip(reader, name)?,
        }
    }
    let Some(name) = header_name else {
        return bad("Cannot construct instance of `ProduceRequestHeader`, problem: Null name");
    };
    unknown.refuse("ProduceRequestHeader", "name, value")?;
    Ok(RecordHeader { name, value })
}

/// A header's bytes.
fn bytes(reader: &mut Reader<'_, '_>) -> Read<Option<Vec<u8>>> {
    match reader.next()? {
        Token::Null => Ok(None),
        Token::Text => {
            let span = reader.text()?;
            let problem = match strict_base64(reader.str(span).as_bytes()) {
                Ok(bytes) => return Ok(Some(bytes)),
                Err(BadBase64::Here(problem)) => problem,
                Err(BadBase64::AtQuote(problem)) => {
                    reader.text_behind()?;
                    problem
                }
            };
            bad(format!("Cannot deserialize value of type `byte[]` from String: {problem}"))
        }
        token => mismatch("byte[]", token),
    }
}

/// Why a text is no base64, in words.
#[derive(Debug, PartialEq, Eq)]
enum BadBase64 {
    /// Within the text, or because its padding is missing.
    Here(String),
    /// The text stops where a digit or the second `=` must stand. The reference decodes while it reads: it has eaten
    /// the closing quote for that character, and takes what follows for the rest of the text.
    AtQuote(String),
}

/// Base64 as Jackson reads it: standard alphabet, padding required, blanks only between groups of four.
fn strict_base64(text: &[u8]) -> Result<Vec<u8>, BadBase64> {
    if let Ok(bytes) = base64_simd::STANDARD.decode_to_vec(text) {
        return Ok(bytes);
    }
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut rest = text.iter().copied();
    loop {
        let Some(first) = rest.by_ref().find(|byte| *byte > b' ') else { return Ok(out) };
        let mut group = [0u32; 4];
        let mut padding = 0;
        for (index, slot) in group.iter_mut().enumerate() {
            let byte = match (index, if index == 0 { Some(first) } else { rest.next() }) {
                (_, Some(byte)) => byte,
                (2 | 3, None) if padding == 0 => {
                    let text = "Unexpected end of base64-encoded String: padding expected";
                    return Err(BadBase64::Here(text.to_owned()));
                }
                (_, None) => {
                    let text = format!("Illegal character '\"' as character #{} of 4-char base64 unit", index + 1);
                    return Err(BadBase64::AtQuote(text));
                }
            };
            let value = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                b'=' if index >= 2 => {
                    padding += 1;
                    0
                }
                _ => {
                    let text = format!("Illegal character '{}' in base64 content", char::from(byte));
                    return Err(BadBase64::Here(text));
                }
            };
            if padding > 0 && byte != b'=' {
                return Err(BadBase64::Here("expected padding character '='".to_owned()));
            }
            *slot = u32::from(value);
        }
        let bits = group.iter().fold(0, |bits, value| bits << 6 | value);
        out.extend_from_slice(&bits.to_be_bytes()[1..4 - padding]);
    }
}

/// A text of the client's, short enough for a message.
fn short(text: &str) -> Cow<'_, str> {
    const LONGEST: usize = 200;
    if text.len() <= LONGEST {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().take(LONGEST).chain(['…']).collect())
}
