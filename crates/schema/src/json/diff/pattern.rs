//! Which names a pattern of `patternProperties` finds.
//!
//! Patterns are searched for, not anchored. Each is compiled once per comparison; its program and its backtracking are
//! capped. One that does not compile, or gives up, finds nothing, as if the schema did not have it.

use std::collections::HashMap;

use fancy_regex::{Regex, RegexBuilder};

/// Bytes of a compiled pattern.
const MAX_PROGRAM: usize = 1024 * 1024;
/// Steps back within one name; only patterns with look-around or back-references take any.
const MAX_BACKTRACKS: usize = 2_000;

/// The patterns compiled so far.
#[derive(Debug, Default)]
pub(super) struct Patterns(HashMap<Box<str>, Option<Regex>>);

impl Patterns {
    /// Whether `pattern` is found in `name`.
    pub(super) fn finds(&mut self, pattern: &str, name: &str) -> bool {
        if !self.0.contains_key(pattern) {
            self.0.insert(pattern.into(), compile(pattern));
        }
        self.0.get(pattern).and_then(Option::as_ref).is_some_and(|regex| regex.is_match(name).unwrap_or(false))
    }
}

fn compile(pattern: &str) -> Option<Regex> {
    let mut builder = RegexBuilder::new(pattern);
    builder.backtrack_limit(MAX_BACKTRACKS).delegate_size_limit(MAX_PROGRAM).delegate_dfa_size_limit(MAX_PROGRAM);
    builder.build().ok()
}

#[cfg(test)]
mod tests {
    use super::Patterns;

    #[test]
    fn patterns_are_searched_for_and_bad_ones_find_nothing() {
        let mut patterns = Patterns::default();
        assert!(patterns.finds("^S_", "S_1"));
        assert!(!patterns.finds("^S_", "IS_1"));
        assert!(patterns.finds("b", "abc"));
        assert!(patterns.finds("^(?!x)", "abc"));
        assert!(!patterns.finds("^(?!x)", "x"));
        assert!(!patterns.finds("(", "("));
        assert!(!patterns.finds("^(a+)+$(?<=b)", &"a".repeat(60)));
    }
}
