//! Which names a pattern of `patternProperties` finds.
//!
//! Patterns are searched for, not anchored. Each is compiled once per comparison; its program and its backtracking are
//! capped, and both count as work: one that repeats big classes costs as much as thousands of small ones. One that
//! does not compile, or gives up, finds nothing, as if the schema did not have it.

use std::collections::HashMap;

use fancy_regex::{CompileError, Regex, RegexBuilder};

/// How big a program a pattern may become, how many steps it takes to compile, and how many to match a byte.
struct Size {
    bytes: usize,
    compile: usize,
    per_byte: usize,
}

/// Tried one after the other: most patterns are small, and only who needs more pays for more. Of the biggest, forty
/// can be compiled in one comparison.
const SIZES: [Size; 3] = [
    Size { bytes: 16 * 1024, compile: 2_000, per_byte: 1 },
    Size { bytes: 128 * 1024, compile: 10_000, per_byte: 4 },
    Size { bytes: 1024 * 1024, compile: 40_000, per_byte: 32 },
];
/// What a question counts as, beside the name's length.
const ASK: usize = 64;
/// Steps back within one name; only patterns with look-around or back-references take any.
const MAX_BACKTRACKS: usize = 2_000;

/// The patterns compiled so far, with what they cost per byte.
#[derive(Debug, Default)]
pub(super) struct Patterns(HashMap<Box<str>, Option<(Regex, usize)>>);

impl Patterns {
    /// Whether `pattern` is found in `name`. `spend` counts the work and says whether there is any left; without any,
    /// the answer is no.
    pub(super) fn finds(&mut self, pattern: &str, name: &str, mut spend: impl FnMut(usize) -> bool) -> bool {
        if !self.0.contains_key(pattern) {
            let compiled = compile(pattern, &mut spend);
            self.0.insert(pattern.into(), compiled);
        }
        let Some(Some((regex, per_byte))) = self.0.get(pattern) else {
            spend(1);
            return false;
        };
        spend(ASK + per_byte * name.len()) && regex.is_match(name).unwrap_or(false)
    }
}

fn compile(pattern: &str, spend: &mut impl FnMut(usize) -> bool) -> Option<(Regex, usize)> {
    for size in &SIZES {
        if !spend(size.compile) {
            return None;
        }
        let mut builder = RegexBuilder::new(pattern);
        builder.backtrack_limit(MAX_BACKTRACKS).delegate_size_limit(size.bytes).delegate_dfa_size_limit(size.bytes);
        match builder.build() {
            Ok(regex) => return Some((regex, size.per_byte)),
            Err(error) if is_too_big(&error) => {}
            Err(_) => return None,
        }
    }
    None
}

fn is_too_big(error: &fancy_regex::Error) -> bool {
    let fancy_regex::Error::CompileError(cause) = error else { return false };
    matches!(&**cause, CompileError::InnerError(cause) if cause.size_limit().is_some())
}

#[cfg(test)]
mod tests {
    use super::Patterns;

    #[test]
    fn patterns_are_searched_for_and_bad_ones_find_nothing() {
        let mut patterns = Patterns::default();
        let mut finds = |pattern: &str, name: &str| patterns.finds(pattern, name, |_| true);
        assert!(finds("^S_", "S_1"));
        assert!(!finds("^S_", "IS_1"));
        assert!(finds("b", "abc"));
        assert!(finds("^(?!x)", "abc"));
        assert!(!finds("^(?!x)", "x"));
        assert!(!finds("(", "("));
        assert!(!finds("^(a+)+$(?<=b)", &"a".repeat(60)));
    }

    #[test]
    fn big_programs_cost_what_they_take_and_nothing_is_compiled_on_credit() {
        let mut patterns = Patterns::default();
        let mut left = 100_000_usize;
        let mut spend = |steps: usize| {
            left = left.saturating_sub(steps);
            left > 0
        };
        assert!(patterns.finds("^a$", "a", &mut spend));
        assert!(patterns.finds("^[^x]{300}$", &"a".repeat(300), &mut spend));
        let big: Vec<bool> =
            (0..100).map(|n| patterns.finds(&format!("^[^x]{{{}}}$", 900 + n), "a", &mut spend)).collect();
        assert_eq!(big, [false; 100]);
        assert_eq!(left, 0);
        assert!(patterns.0.values().flatten().count() < 6, "{}", patterns.0.values().flatten().count());
    }
}
