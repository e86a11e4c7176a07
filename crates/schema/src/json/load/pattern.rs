//! Whether Java compiles a regular expression: only what it surely refuses is found.
//!
//! Patterns are Java's to the reference. Nothing here matches; a pattern that gets through may still be refused by
//! the validator of instances. In doubt a pattern is let through: refusing what the reference takes would be worse.
//!
//! Source: `java.util.regex.Pattern` (JDK 17).

/// Whether `Pattern.compile` throws: brackets that do not match, a quantifier without anything before it, an escape,
/// a group or a flag that Java does not have, a range that runs backwards, an endless look behind.
pub(super) fn is_broken(pattern: &str) -> bool {
    let rest = pattern.chars().peekable();
    Scan { rest, groups: Vec::new(), names: Vec::new() }.pattern().is_none()
}

struct Scan<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    /// The groups that are open.
    groups: Vec<Group>,
    /// The names of groups met so far.
    names: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Plain,
    LookAhead,
    LookBehind,
}

/// What stands behind `(?`.
enum Opened {
    Group(Group),
    /// Flags for the rest, closed already.
    Flags,
    /// Flags that change what is syntax: the rest is let through.
    Comments,
}

impl Scan<'_> {
    fn pattern(&mut self) -> Option<()> {
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
                    atom = false;
                    let opened = match self.rest.next_if_eq(&'?') {
                        Some(_) => self.group()?,
                        None => Opened::Group(Group::Plain),
                    };
                    match opened {
                        Opened::Group(group) => self.groups.push(group),
                        Opened::Flags => {}
                        Opened::Comments => return Some(()),
                    }
                }
                ')' => {
                    self.groups.pop()?;
                    atom = true;
                }
                '|' | '^' => atom = false,
                '*' | '+' | '?' => {
                    if !atom || next != '?' && self.looks_behind() {
                        return None;
                    }
                    self.rest.next_if(|next| matches!(next, '?' | '+'));
                    atom = false;
                }
                '{' => {
                    if !self.repetition()? && self.looks_behind() {
                        return None;
                    }
                    self.rest.next_if(|next| matches!(next, '?' | '+'));
                    atom = false;
                }
                _ => atom = true,
            }
        }
        self.groups.is_empty().then_some(())
    }

    /// Whether what is read now must have an end, because it is looked for behind.
    fn looks_behind(&self) -> bool {
        let looks = |group: &&Group| **group != Group::Plain;
        self.groups.iter().rev().find(looks) == Some(&Group::LookBehind)
    }

    /// The head of a group behind its `(?`.
    fn group(&mut self) -> Option<Opened> {
        Some(match self.rest.next()? {
            ':' | '>' => Opened::Group(Group::Plain),
            '=' | '!' => Opened::Group(Group::LookAhead),
            '<' if self.rest.next_if(|next| matches!(next, '=' | '!')).is_some() => Opened::Group(Group::LookBehind),
            '<' => {
                let name = self.name()?;
                if self.names.contains(&name) {
                    return None;
                }
                self.names.push(name);
                Opened::Group(Group::Plain)
            }
            mut flag => loop {
                match flag {
                    ':' => break Opened::Group(Group::Plain),
                    ')' => break Opened::Flags,
                    'x' => break Opened::Comments,
                    'i' | 'm' | 's' | 'd' | 'u' | 'U' | '-' => flag = self.rest.next()?,
                    _ => return None,
                }
            },
        })
    }

    /// The name of a group and its `>`.
    fn name(&mut self) -> Option<String> {
        let mut name = String::from(self.rest.next_if(char::is_ascii_alphabetic)?);
        while let Some(next) = self.rest.next_if(char::is_ascii_alphanumeric) {
            name.push(next);
        }
        self.rest.next_if_eq(&'>').map(|_| name)
    }

    /// `3}`, `3,}` or `3,5}`: whether it has an end.
    fn repetition(&mut self) -> Option<bool> {
        let number = |rest: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut digits = String::new();
            while let Some(digit) = rest.next_if(char::is_ascii_digit) {
                digits.push(digit);
            }
            digits.parse::<u32>().ok().filter(|number| *number <= i32::MAX as u32)
        };
        let least = number(&mut self.rest)?;
        let mut ends = true;
        if self.rest.next_if_eq(&',').is_some() {
            ends = self.rest.peek() != Some(&'}');
            if ends && number(&mut self.rest)? < least {
                return None;
            }
        }
        self.rest.next_if_eq(&'}').map(|_| ends)
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
            'k' => {
                self.rest.next_if_eq(&'<')?;
                let name = self.name()?;
                self.names.contains(&name).then_some(())
            }
            escaped => self.character(escaped),
        }
    }

    /// What is left of an escape that may stand in a class, too.
    fn character(&mut self, escaped: char) -> Option<()> {
        match escaped {
            // A name or number in braces.
            'p' | 'P' | 'x' | 'N' if self.rest.next_if_eq(&'{').is_some() => {
                let inside = self.rest.by_ref().take_while(|next| *next != '}').count();
                (inside > 0).then_some(())
            }
            'p' | 'P' | 'c' => self.rest.next().map(|_| ()),
            'x' => self.digits(2),
            'u' => self.digits(4),
            '0' => self.rest.next_if(|next| ('0'..='7').contains(next)).map(|_| ()),
            'C' | 'E' | 'F' | 'I' | 'J' | 'K' | 'L' | 'M' | 'N' | 'O' | 'T' | 'U' | 'Y' | 'g' | 'i' | 'j' | 'l'
            | 'm' | 'o' | 'q' | 'y' => None,
            _ => Some(()),
        }
    }

    /// So many hexadecimal digits.
    fn digits(&mut self, count: usize) -> Option<()> {
        (0..count).try_for_each(|_| self.rest.next_if(char::is_ascii_hexdigit).map(|_| ()))
    }

    /// The rest of a class behind its `[`.
    fn class(&mut self, depth: usize) -> Option<()> {
        if depth == 64 {
            return Some(());
        }
        self.rest.next_if_eq(&'^');
        let mut first = true;
        loop {
            let next = self.rest.next()?;
            match next {
                ']' if !first => return Some(()),
                '[' => self.class(depth + 1)?,
                '\\' => match self.rest.next()? {
                    'A' | 'B' | 'G' | 'R' | 'X' | 'Z' | 'b' | 'k' | 'z' | '1'..='9' => return None,
                    // A quotation may hold what closes: let through.
                    'Q' => return Some(()),
                    escaped => self.character(escaped)?,
                },
                start => {
                    let mut ahead = self.rest.clone();
                    if ahead.next() == Some('-')
                        && let Some(end) = ahead.next().filter(|end| !matches!(end, '[' | ']' | '\\' | '&'))
                    {
                        if end < start {
                            return None;
                        }
                        self.rest = ahead;
                    }
                }
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
        for pattern in [
            "\\x4",
            "\\u123",
            "\\E",
            "\\0",
            "\\N",
            "\\k<n>",
            "(?<n>a)(?<n>b)",
            "(?P<n>a)",
            "(?<1>a)",
            "[z-a]",
            "[\\b]",
            "(?<=a*)b",
            "(?<!a{2,})b",
            "a{,2}",
        ] {
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
            "a{1}{2}",
            "(?<=a{1,2}|b?)c",
            "(?=a*)b",
            "(?i-s:a)",
            "\\u0041\\x41\\07\\cA",
            "[a-z&&[^b-d]]",
            "[a-]",
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
