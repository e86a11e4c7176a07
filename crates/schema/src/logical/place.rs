//! Where something was found, as the checks of logical types say it: `order.items[].price`.
//!
//! Places lie in one list and name the one around them, so that deep ones cost no more than shallow ones until one is
//! printed; and what is printed is capped.

/// Bytes of findings that are kept: with paths as deep as names lead, a small schema may have more to say than anyone
/// reads.
const MAX_BYTES: usize = 1024 * 1024;

/// A place in [`Places`].
pub(super) type Place = usize;

/// One step down.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'a> {
    /// Into a field of a struct or a branch of a union.
    Field(&'a str),
    /// Into the elements of an array or multiset: `[]`
    Items,
    /// Into the keys of a map: `{key}`
    Keys,
    /// Into the values of a map: `{}`
    Values,
}

/// Places that were visited.
#[derive(Debug, Default)]
pub(super) struct Places<'a> {
    /// The place around, plus one, and the step from there.
    steps: Vec<(usize, Step<'a>)>,
}

impl<'a> Places<'a> {
    /// The schema as a whole.
    pub(super) const ROOT: Place = 0;

    /// The place one step below `place`.
    pub(super) fn below(&mut self, place: Place, step: Step<'a>) -> Place {
        self.steps.push((place, step));
        self.steps.len()
    }

    /// As text, empty for the whole.
    fn text(&self, place: Place) -> String {
        let mut steps = Vec::new();
        let mut at = place;
        while at != Places::ROOT {
            let (around, step) = self.steps[at - 1];
            steps.push(step);
            at = around;
        }
        let mut text = String::new();
        for step in steps.into_iter().rev() {
            match step {
                Step::Field(name) if text.is_empty() => text.push_str(name),
                Step::Field(name) => {
                    text.push('.');
                    text.push_str(name);
                }
                Step::Items => text.push_str("[]"),
                Step::Keys => text.push_str("{key}"),
                Step::Values => text.push_str("{}"),
            }
        }
        text
    }
}

/// What was found, in order.
#[derive(Debug, Default)]
pub(super) struct Findings {
    text: String,
}

impl Findings {
    /// Adds a finding.
    pub(super) fn add(&mut self, places: &Places, place: Place, rule: &str, message: &str) {
        if self.text.len() > MAX_BYTES {
            return;
        }
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(rule);
        let path = places.text(place);
        if !path.is_empty() {
            self.text.push_str(&format!(" at '{path}'"));
        }
        self.text.push_str(": ");
        self.text.push_str(message);
    }

    /// One line for each, or `None`.
    pub(super) fn lines(self) -> Option<String> {
        Some(self.text).filter(|text| !text.is_empty())
    }
}
