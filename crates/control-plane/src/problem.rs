//! What is wrong in a file, and where: collected, never thrown, so that all of it is shown at once.

use std::fmt;
use std::sync::Arc;

/// A place in a file: 1-based line and column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The file cannot be used.
    Error,
    /// It can; someone should know.
    Warning,
}

/// One mistake. `Display`: `file:line:column: error[T003] /spec/clusters/0: … (hint: …)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// File as it was named.
    pub file: Arc<str>,
    /// Where in it.
    pub at: Position,
    /// JSON pointer of the value inside its document.
    pub pointer: String,
    /// Short code: `Y…` syntax, `F…` fields, `C…` clusters, `T…` topics.
    pub code: &'static str,
    /// Error or warning.
    pub level: Level,
    /// What.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = match self.level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(
            f,
            "{}:{}:{}: {level}[{}] {pointer}: {}",
            self.file, self.at.line, self.at.column, self.code, self.message
        )?;
        if let Some(hint) = &self.hint {
            write!(f, " (hint: {hint})")?;
        }
        Ok(())
    }
}

/// A collection of problems.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Whether any is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|problem| problem.level == Level::Error)
    }

    /// The errors.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter().filter(|problem| problem.level == Level::Error)
    }

    /// The warnings.
    pub fn warnings(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter().filter(|problem| problem.level == Level::Warning)
    }

    /// In reading order: by file, then place.
    pub fn sort(&mut self) {
        self.0.sort_by(|a, b| (&a.file, a.at, a.level).cmp(&(&b.file, b.at, b.level)));
    }
}

/// The candidate nearest to `word`, if it is near enough to be a slip: at most a third of its letters differ.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(3) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edit distance (Levenshtein); words are short, files are trusted to be small.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_word_that_was_meant() {
        assert_eq!(nearest("load-balanicng", ["load-balancing", "lifecycle"]), Some("load-balancing"));
        assert_eq!(nearest("zzz", ["load-balancing", "lifecycle"]), None);
    }
}
