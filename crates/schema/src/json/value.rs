//! JSON values that keep what the reference keeps: the order of keys, and numbers digit by digit.
//!
//! Numbers are held as the text that Java prints for them (`1e2` is `1E+2`, `1.50` stays): two numbers are equal
//! exactly when Java's objects are, so `1` differs from `1.0`. Objects are equal whatever the order of their keys.
//! Read by [`super::text::parse`], printed by [`super::text::print`].

use super::named::Named;
use crate::weight::Heap;

/// A JSON value.
#[derive(Debug, Clone)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(Box<str>),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(Named<Value>),
}

impl Value {
    /// The member of this name, of an object.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_object()?.get(name)
    }

    /// The members, of an object.
    pub fn as_object(&self) -> Option<&Named<Value>> {
        match self {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The text, of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The elements, of an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The number, of a number.
    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => a == b,
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Array(a), Value::Array(b)) => a == b,
            (Value::Object(a), Value::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(name, value)| b.get(name) == Some(value))
            }
            _ => false,
        }
    }
}

impl Eq for Value {}

/// A number as Java prints it: digits for an integer of any size, `BigDecimal.toString` for others.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Number(Box<str>);

impl Number {
    /// The number printed so. The caller vouches for the form; see [`super::text`].
    pub(crate) fn from_printed(text: impl Into<Box<str>>) -> Number {
        Number(text.into())
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The nearest double, as `Number.doubleValue`; an infinity past the range.
    pub fn as_f64(&self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }

    /// Whether it was written without fraction and exponent.
    pub fn is_integer(&self) -> bool {
        !self.0.contains(['.', 'E'])
    }

    /// The value of an integer that fits 32 bits: what Java's `Integer` holds.
    pub fn as_i32(&self) -> Option<i32> {
        if self.is_integer() { self.0.parse().ok() } else { None }
    }
}

impl Heap for Number {
    fn heap_bytes(&self) -> usize {
        self.0.heap_bytes()
    }
}

impl Heap for Value {
    fn heap_bytes(&self) -> usize {
        match self {
            Value::Null | Value::Bool(_) => 0,
            Value::Number(number) => number.heap_bytes(),
            Value::String(text) => text.heap_bytes(),
            Value::Array(elements) => elements.heap_bytes(),
            Value::Object(members) => members.heap_bytes(),
        }
    }
}
