//! Scalars: each kind's JSON forms, fast where they are plain, else by way of the text a JSON tree has for them.

use super::{Done, Encoder, Mismatch};
use crate::payload::json::NoText;
use crate::payload::numbers::{self, NotNumber};
use crate::payload::write::{fixed32, fixed64, varint, zigzag};
use crate::protobuf::codec::plan::{Enum, Kind};
use crate::protobuf::codec::wellknown;

impl Encoder<'_, '_, '_> {
    /// Writes the bare value of a scalar.
    #[inline]
    pub(super) fn scalar(&mut self, kind: Kind) -> Done {
        self.is_alias = false;
        let at = self.json.at;
        let next = self.json.peek();
        match (kind, next) {
            (Kind::String { .. }, b'"') => {
                let token = self.json.string()?;
                if token.escaped {
                    let text = token.text()?;
                    self.text(&text);
                } else {
                    self.text(token.raw);
                }
                return Ok(());
            }
            (Kind::Bool, b't') => {
                self.out.push(1);
                return self.json.literal("true");
            }
            (Kind::Bool, b'f') => {
                self.out.push(0);
                return self.json.literal("false");
            }
            (Kind::Double | Kind::Float, b'-' | b'0'..=b'9') => {
                let (number, fractional) = self.json.number()?;
                if let Ok(value) = number.parse::<f64>()
                    && value.is_finite()
                {
                    if kind == Kind::Double {
                        // No negative zero: the reference goes through BigDecimal.
                        fixed64(if value == 0.0 { 0 } else { value.to_bits() }, self.out);
                        return Ok(());
                    }
                    let value = if fractional || value != 0.0 { value } else { 0.0 };
                    if value.abs() <= f64::from(f32::MAX) {
                        fixed32((value as f32).to_bits(), self.out);
                        return Ok(());
                    }
                }
            }
            (Kind::Bytes, b'"') => {
                let token = self.json.string()?;
                if !token.escaped && self.base64(token.raw) {
                    return Ok(());
                }
            }
            (Kind::Enum(plan), b'"') => {
                let plan = &self.plans.enums[plan as usize];
                let token = self.json.string()?;
                if !token.escaped
                    && let Some((number, is_default)) = plan.number(token.raw)
                {
                    self.enumeration(plan, number, is_default);
                    return Ok(());
                }
            }
            (_, b'"') => {
                let token = self.json.string()?;
                if let Some((magnitude, negative)) = plain_integer(token.raw)
                    && self.integer(kind, magnitude, negative)
                {
                    return Ok(());
                }
            }
            (_, b'-' | b'0'..=b'9') => {
                let (number, fractional) = self.json.number()?;
                if !fractional
                    && let Some((magnitude, negative)) = plain_integer(number)
                    && self.integer(kind, magnitude, negative)
                {
                    return Ok(());
                }
            }
            (kind, b'{') => {
                let quoted = self.json.compact(at);
                return Err(Mismatch(format!("Invalid value: {quoted} for expected type: {}", kind.java_name())));
            }
            _ => {}
        }
        self.json.at = at;
        self.json.peek();
        let at = self.json.at;
        match self.json.scalar_text() {
            Ok(text) => match kind {
                Kind::String { .. } => self.text(&text),
                kind => self.scalar_from_text(kind, &text, at)?,
            },
            Err(NoText::Malformed(mismatch)) => return Err(mismatch),
            // Integers report any such value as theirs, others what a JSON tree says of it.
            Err(no_text) => match kind {
                Kind::Int32
                | Kind::Sint32
                | Kind::Sfixed32
                | Kind::Int64
                | Kind::Sint64
                | Kind::Sfixed64
                | Kind::Uint32
                | Kind::Fixed32
                | Kind::Uint64
                | Kind::Fixed64 => {
                    return self.complain(&format!("Not an {} value: ", integer_name(kind)), at);
                }
                _ => return Err(no_text.into_mismatch()),
            },
        }
        Ok(())
    }

    /// Writes a plain integer if it fits `kind`.
    #[inline]
    pub(super) fn integer(&mut self, kind: Kind, magnitude: u64, negative: bool) -> bool {
        let signed = if negative { (magnitude as i64).wrapping_neg() } else { magnitude as i64 };
        let fits64 = magnitude <= i64::MAX as u64 || (negative && magnitude == 1 << 63);
        let fits32 = fits64 && i32::try_from(signed).is_ok();
        let fits_unsigned = !negative || magnitude == 0;
        match kind {
            Kind::Int32 if fits32 => varint(signed as u64, self.out),
            Kind::Int64 if fits64 => varint(signed as u64, self.out),
            Kind::Sint32 | Kind::Sint64 if fits32 || (fits64 && kind == Kind::Sint64) => {
                varint(zigzag(signed), self.out);
            }
            Kind::Sfixed32 if fits32 => fixed32(signed as u32, self.out),
            Kind::Sfixed64 if fits64 => fixed64(signed as u64, self.out),
            Kind::Uint32 if fits_unsigned && magnitude <= u64::from(u32::MAX) => varint(magnitude, self.out),
            Kind::Uint64 if fits_unsigned => varint(magnitude, self.out),
            Kind::Fixed32 if fits_unsigned && magnitude <= u64::from(u32::MAX) => {
                fixed32(magnitude as u32, self.out);
            }
            Kind::Fixed64 if fits_unsigned => fixed64(magnitude, self.out),
            Kind::Enum(plan) if fits32 => {
                let plan = &self.plans.enums[plan as usize];
                if plan.closed && plan.name(signed as i32).is_none() {
                    return false;
                }
                self.enumeration(plan, signed as i32, true);
            }
            _ => return false,
        }
        true
    }

    /// Writes a scalar from the text a JSON tree has for it. `at` is where the value stands, for the message.
    pub(super) fn scalar_from_text(&mut self, kind: Kind, text: &str, at: usize) -> Done {
        let bits = match kind {
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64 => 64,
            _ => 32,
        };
        match kind {
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
                match numbers::signed(text, bits) {
                    Some(value) => self.integer(kind, value.unsigned_abs(), value < 0),
                    None => return self.complain(&format!("Not an int{bits} value: "), at),
                };
            }
            Kind::Uint32 | Kind::Fixed32 | Kind::Uint64 | Kind::Fixed64 => match numbers::unsigned(text, bits) {
                Ok(value) => {
                    self.integer(kind, value, false);
                }
                Err(NotNumber::Range) => return self.complain(&format!("Out of range uint{bits} value: "), at),
                Err(NotNumber::Syntax) => return self.complain(&format!("Not an uint{bits} value: "), at),
            },
            Kind::Bool => match text {
                "true" => self.out.push(1),
                "false" => self.out.push(0),
                _ => return self.complain("Invalid bool value: ", at),
            },
            Kind::Double => match numbers::double(text) {
                // One NaN only, Java's.
                Ok(value) if value.is_nan() => fixed64(0x7ff8_0000_0000_0000, self.out),
                Ok(value) => fixed64(value.to_bits(), self.out),
                Err(NotNumber::Range) => return self.complain("Out of range double value: ", at),
                Err(NotNumber::Syntax) => return self.complain("Not a double value: ", at),
            },
            Kind::Float => match numbers::float(text) {
                Ok(value) if value.is_nan() => fixed32(0x7fc0_0000, self.out),
                Ok(value) => fixed32(value.to_bits(), self.out),
                Err(NotNumber::Range) => return self.complain("Out of range float value: ", at),
                Err(NotNumber::Syntax) if text.trim().is_empty() => return Err(Mismatch("empty String".to_owned())),
                Err(NotNumber::Syntax) => {
                    let quoted = text.chars().take(1_000).collect::<String>();
                    return Err(Mismatch(format!("For input string: \"{quoted}\"")));
                }
            },
            Kind::Bytes => {
                let bytes = wellknown::java_base64(text)?;
                varint(bytes.len() as u64, self.out);
                self.out.extend_from_slice(&bytes);
            }
            Kind::Enum(plan) => {
                let plan = &self.plans.enums[plan as usize];
                let found = plan.number(text).or_else(|| {
                    let number = numbers::signed(text, 32)? as i32;
                    (!plan.closed || plan.name(number).is_some()).then_some((number, true))
                });
                let Some((number, is_default)) = found else {
                    let quoted = text.chars().take(1_000).collect::<String>();
                    let name = &plan.full_name;
                    return Err(Mismatch(format!("Invalid enum value: {quoted} for enum type: {name}")));
                };
                self.enumeration(plan, number, is_default);
            }
            Kind::String { .. } | Kind::Message(_) | Kind::Group(_) => self.text(text),
        }
        Ok(())
    }

    #[inline]
    pub(super) fn enumeration(&mut self, plan: &Enum, number: i32, is_default: bool) {
        self.is_alias = number == plan.default && !is_default;
        varint(i64::from(number) as u64, self.out);
    }

    #[inline]
    pub(super) fn text(&mut self, text: &str) {
        varint(text.len() as u64, self.out);
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Writes padded standard base64; false and nothing when it is anything else.
    pub(super) fn base64(&mut self, text: &str) -> bool {
        let padding = text.bytes().rev().take(2).filter(|byte| *byte == b'=').count();
        if !text.len().is_multiple_of(4) {
            return false;
        }
        let start = self.out.len();
        varint((text.len() / 4 * 3 - padding) as u64, self.out);
        let decoded = base64_simd::STANDARD.decode_append(text.as_bytes(), &mut *self.out).is_ok();
        if !decoded {
            self.out.truncate(start);
        }
        decoded
    }
}

fn integer_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => "int32",
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => "int64",
        Kind::Uint32 | Kind::Fixed32 => "uint32",
        _ => "uint64",
    }
}

/// Magnitude and sign of `-?[0-9]{1,19}`; anything else takes the slow way.
#[inline]
fn plain_integer(text: &str) -> Option<(u64, bool)> {
    let bytes = text.as_bytes();
    let (digits, negative) = match bytes {
        [b'-', rest @ ..] => (rest, true),
        rest => (rest, false),
    };
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let mut magnitude = 0u64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        magnitude = magnitude * 10 + u64::from(digit);
    }
    Some((magnitude, negative))
}
