//! Strings, numbers, constants and enumerations.
//!
//! Source: Confluent `json/diff/{StringSchemaDiff,NumberSchemaDiff,EnumSchemaDiff,ConstSchemaDiff}.java`, 8.2.0 and later.

use std::collections::HashSet;

use super::rule::{Findings, Step, compare_limit};
use super::*;
use crate::json::model::{NumberSchema, StringSchema};
use crate::json::text;
use crate::json::value::{Number, Value};

pub(super) fn compare_strings(original: &StringSchema, update: &StringSchema, out: &mut impl Findings) {
    let changes = [MAX_LENGTH_ADDED, MAX_LENGTH_REMOVED, MAX_LENGTH_INCREASED, MAX_LENGTH_DECREASED];
    compare_limit("maxLength", original.max_length, update.max_length, changes, out);
    let changes = [MIN_LENGTH_ADDED, MIN_LENGTH_REMOVED, MIN_LENGTH_INCREASED, MIN_LENGTH_DECREASED];
    compare_limit("minLength", original.min_length, update.min_length, changes, out);
    let change = match (&original.pattern, &update.pattern) {
        (None, Some(_)) => PATTERN_ADDED,
        (Some(_), None) => PATTERN_REMOVED,
        (Some(was), Some(is)) if was != is => PATTERN_CHANGED,
        _ => return,
    };
    out.change(Step::Keyword("pattern"), change);
}

/// Limits are compared as doubles. The reference compares a lowered `exclusiveMaximum` with the new `maximum` by
/// mistake, and fails where there is none; here it is compared with its like.
pub(super) fn compare_numbers(original: &NumberSchema, update: &NumberSchema, out: &mut impl Findings) {
    let value = |limit: &Option<Number>| limit.as_ref().map(Number::as_f64);
    let changes = [MAXIMUM_ADDED, MAXIMUM_REMOVED, MAXIMUM_INCREASED, MAXIMUM_DECREASED];
    compare_limit("maximum", value(&original.maximum), value(&update.maximum), changes, out);
    let changes = [MINIMUM_ADDED, MINIMUM_REMOVED, MINIMUM_INCREASED, MINIMUM_DECREASED];
    compare_limit("minimum", value(&original.minimum), value(&update.minimum), changes, out);
    let limits = (value(&original.exclusive_maximum_limit), value(&update.exclusive_maximum_limit));
    let changes =
        [EXCLUSIVE_MAXIMUM_ADDED, EXCLUSIVE_MAXIMUM_REMOVED, EXCLUSIVE_MAXIMUM_INCREASED, EXCLUSIVE_MAXIMUM_DECREASED];
    compare_limit("exclusiveMaximum", limits.0, limits.1, changes, out);
    let limits = (value(&original.exclusive_minimum_limit), value(&update.exclusive_minimum_limit));
    let changes =
        [EXCLUSIVE_MINIMUM_ADDED, EXCLUSIVE_MINIMUM_REMOVED, EXCLUSIVE_MINIMUM_INCREASED, EXCLUSIVE_MINIMUM_DECREASED];
    compare_limit("exclusiveMinimum", limits.0, limits.1, changes, out);
    if let Some(change) = multiple_changed(original.multiple_of.as_ref(), update.multiple_of.as_ref()) {
        out.change(Step::Keyword("multipleOf"), change);
    }
    match (original.requires_integer, update.requires_integer) {
        (true, false) => out.change(Step::Here, TYPE_EXTENDED),
        (false, true) => out.change(Step::Here, TYPE_NARROWED),
        _ => {}
    }
}

/// Whether multiples of the new number are multiples of the old one, or the other way round. The reference looks at
/// the integer parts only and divides by zero below one; here fractions count.
fn multiple_changed(original: Option<&Number>, update: Option<&Number>) -> Option<Change> {
    let (was, is) = match (original, update) {
        (None, None) => return None,
        (None, Some(_)) => return Some(MULTIPLE_OF_ADDED),
        (Some(_), None) => return Some(MULTIPLE_OF_REMOVED),
        (Some(was), Some(is)) if was == is => return None,
        (Some(was), Some(is)) => (was, is),
    };
    let change = match same_scale(was, is) {
        Some((was, is)) if was != 0 && is % was == 0 => MULTIPLE_OF_EXPANDED,
        Some((was, is)) if is != 0 && was % is == 0 => MULTIPLE_OF_REDUCED,
        _ => MULTIPLE_OF_CHANGED,
    };
    Some(change)
}

/// Both numbers times one power of ten that makes them whole; `None` when one is too long for that.
fn same_scale(a: &Number, b: &Number) -> Option<(i128, i128)> {
    let ((a, a_scale), (b, b_scale)) = (decimal(a)?, decimal(b)?);
    let scale = a_scale.max(b_scale);
    let raised = |digits: i128, from: i32| digits.checked_mul(10_i128.checked_pow(scale.abs_diff(from))?);
    Some((raised(a, a_scale)?, raised(b, b_scale)?))
}

/// The digits of a number without the point, and how many of them are behind it (less than none: zeros to add).
fn decimal(number: &Number) -> Option<(i128, i32)> {
    let (mantissa, exponent) = number.text().split_once('E').unwrap_or((number.text(), "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i32 = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
    let digits = format!("{whole}{fraction}").parse().ok()?;
    Some((digits, i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?))
}

pub(super) fn compare_constants(original: &Value, update: &Value, out: &mut impl Findings) {
    if original != update {
        out.change(Step::Keyword("const"), ENUM_ARRAY_CHANGED);
    }
}

/// Enumerations as sets. Numbers that are written differently are different values.
pub(super) fn compare_enums(original: &[Value], update: &[Value], out: &mut impl Findings) {
    if original == update {
        return;
    }
    let set = |values: &[Value]| values.iter().map(text::print_sorted).collect::<HashSet<String>>();
    let (was, is) = (set(original), set(update));
    let change = match (was.is_subset(&is), is.is_subset(&was)) {
        (true, true) => return,
        (true, false) => ENUM_ARRAY_EXTENDED,
        (false, true) => ENUM_ARRAY_NARROWED,
        (false, false) => ENUM_ARRAY_CHANGED,
    };
    out.change(Step::Keyword("enum"), change);
}
