//! Whether Java compiles a regular expression: only what it surely refuses is found.
//!
//! Patterns are Java's to the reference. Nothing here matches; a pattern that gets through may still be refused by
//! the validator of instances. In doubt a pattern is let through: refusing what the reference takes would be worse.
//!
//! Source: `java.util.regex.Pattern` (JDK 17).

/// Whether `Pattern.compile` throws: brackets that do not match, a quantifier without anything before it, an escape
/// that Java does not have.
pub(super) fn is_broken(pattern: &str) -> bool {
    Scan { rest: pattern.chars().peekable() }.pattern().is_none()
}

struct Scan<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
}

impl Scan<'_> {
    fn pattern(&mut self) -> Option<()> {
        let mut open = 0usize;
        // Whether a quantifier may follow.
        let mut atom = false;
        while let Some(next) = self.rest.next() {
            match next {
                '\\' => {
                    self.escape()?;
                    atom = true;
                }
                '[' => {
                    self.class(0)?;
                    atom = true;
                }
                '(' => {
                    open += 1;
                    atom = false;
                    if self.rest.next_if_eq(&'?').is_some() {
                        // Names, look-around and flags: whatever follows up to the body is left alone.
                        atom = true;
                    }
                }
                ')' => {
                    open = open.checked_sub(1)?;
                    atom = true;
                }
                '|' | '^' => atom = false,
                '*' | '+' | '?' => {
                    if !atom {
                        return None;
                    }
                    self.rest.next_if(|next| matches!(next, '?' | '+'));
                    atom = false;
                }
                '{' => {
                    if !atom || !self.repetition() {
                        return None;
                    }
                    self.rest.next_if(|next| matches!(next, '?' | '+'));
                    atom = false;
                }
                _ => atom = true,
            }
        }
        (open == 0).then_some(())
    }

    /// `3}`, `3,}` or `3,5}`.
    fn repetition(&mut self) -> bool {
        let number = |rest: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut digits = String::new();
            while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            digits.parse::<u32>().ok().filter(|number| *number <= i32::MAX as u32)
        };
        let Some(least) = number(&mut self.rest) else {
            return false;
        };
        if self.rest.next_if_eq(&',').is_some() && self.rest.peek() != Some(&'}') {
            match number(&mut self.rest) {
                Some(most) if most >= least => {}
                _ => return false,
            }
        }
        self.rest.next() == Some('}')
    }

    fn escape(&mut self) -> Option<()> {
        match self.rest.next()? {
            'Q' => {
                // Quoted up to `\E` or the end.
                while let Some(next) = self.rest.next() {
                    if next == '\\' && self.rest.next_if_eq(&'E').is_some() {
                        break;
                    }
                }
                Some(())
            }
            // A name or number in braces.
            'p' | 'P' | 'x' | 'N' if self.rest.next_if_eq(&'{').is_some() => {
                self.rest.find(|next| *next == '}').map(|_| ())
            }
            'C' | 'F' | 'I' | 'J' | 'K' | 'L' | 'M' | 'O' | 'T' | 'U' | 'Y' | 'g' | 'i' | 'j' | 'l' | 'm' | 'o'
            | 'q' | 'y' => None,
            _ => Some(()),
        }
    }

    /// The rest of a class behind its `[`.
    fn class(&mut self, depth: usize) -> Option<()> {
        if depth == 64 {
            return Some(());
        }
        self.rest.next_if_eq(&'^');
        let mut first = true;
        loop {
            match self.rest.next()? {
                ']' if !first => return Some(()),
                '[' => self.class(depth + 1)?,
                '\\' => self.escape()?,
                _ => {}
            }
            first = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_broken;

    #[test]
    fn what_java_refuses_is_broken() {
        for pattern in
            ["(", ")", "a)", "[", "[a", "*a", "a|*", "(*)", "a**b*{", "{", "a{", "a{b}", "a{3,1}", "\\", "\\y", "[]"]
        {
            assert!(is_broken(pattern), "{pattern}");
        }
    }

    #[test]
    fn what_java_takes_is_not() {
        for pattern in [
            "",
            "^[A-Z]{2}$",
            "(?i)a",
            "(?<name>x)\\k<name>",
            "(?=a)b",
            "a*?b++",
            "[]a]",
            "[^]]",
            "[a[b-c]&&[d]]",
            "}",
            "]",
            "a{3}",
            "a{3,}",
            "a{3,5}?",
            "\\Q(*\\E",
            "\\p{L}+",
            "\\d{1,3}",
            "^x-",
            "\\-\\/",
            "^S_",
            "(a|b)*",
            "a|",
        ] {
            assert!(!is_broken(pattern), "{pattern}");
        }
    }
}
