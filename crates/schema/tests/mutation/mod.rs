//! Texts changed at random, token by token: what the stability tests of the formats share.

use proptest::prelude::*;

/// Words, strings, blanks and single characters.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let length = match first {
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after;
    }
    tokens
}

/// Which token, and what happens to it.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// One more.
    Insert(&'static str),
    /// Another.
    Replace(&'static str),
    /// None.
    Remove,
    /// It and those behind it twice.
    Repeat(usize),
    /// Another's place.
    Swap(prop::sample::Index),
}

/// Up to three changes, with these tokens.
pub(crate) fn changes(tokens: &'static [&'static str]) -> impl Strategy<Value = Vec<(prop::sample::Index, Change)>> {
    let change = prop_oneof![
        prop::sample::select(tokens).prop_map(Change::Insert),
        prop::sample::select(tokens).prop_map(Change::Replace),
        Just(Change::Remove),
        (1usize..12).prop_map(Change::Repeat),
        any::<prop::sample::Index>().prop_map(Change::Swap),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), change), 0..4)
}

/// The text with the changes made.
pub(crate) fn changed(seed: &str, changes: &[(prop::sample::Index, Change)]) -> String {
    let mut tokens = tokens(seed);
    for (index, change) in changes {
        let at = index.index(tokens.len());
        match change {
            Change::Insert(token) => tokens.insert(at, token),
            Change::Replace(token) => tokens[at] = token,
            Change::Remove => drop(tokens.remove(at)),
            Change::Repeat(count) => {
                let copy = tokens[at..(at + count).min(tokens.len())].to_vec();
                tokens.splice(at..at, copy);
            }
            Change::Swap(other) => {
                let other = other.index(tokens.len());
                tokens.swap(at, other);
            }
        }
    }
    tokens.concat()
}
