//! Import paths are tidied as file paths: empty and `.` steps vanish, backslashes become slashes, `..` stays.
//!
//! Source: Okio `Path`, which the reference's parser sends imports through.

/// The path the reference stores for this import.
pub(super) fn tidy(path: &str) -> String {
    let is_slash = |c: char| c == '/' || c == '\\';
    let leading = path.chars().take_while(|c| is_slash(*c)).count();
    let backslashed = path.chars().find(|c| is_slash(*c)) == Some('\\');
    // `\\server`, `c:\` and `c:`: prefixes of another system, kept in their forms.
    let mut prefix = match leading {
        0 => "",
        1 => "/",
        _ if backslashed => "//",
        _ => "/",
    }
    .to_owned();
    let mut rest = &path[leading..];
    if leading == 0 && backslashed && is_drive(rest) {
        prefix = if rest[2..].starts_with(is_slash) { format!("{}/", &rest[..2]) } else { rest[..2].to_owned() };
        rest = &rest[2..];
    }
    let absolute = prefix.ends_with('/');
    let mut steps: Vec<&str> = Vec::new();
    for step in rest.split(is_slash) {
        match step {
            "" | "." => {}
            ".." if absolute && steps.is_empty() => {}
            step => steps.push(step),
        }
    }
    let tidied = prefix + &steps.join("/");
    if tidied.is_empty() { ".".to_owned() } else { tidied }
}

fn is_drive(path: &str) -> bool {
    let bytes = path.as_bytes();
    bytes.len() > 1 && bytes[0].is_ascii_alphabetic() && bytes[1] == b':'
}

#[cfg(test)]
mod tests {
    use super::tidy;

    #[test]
    fn plain_paths_stay_and_empty_steps_vanish() {
        for (written, stored) in [
            ("google/protobuf/any.proto", "google/protobuf/any.proto"),
            ("a//b.proto", "a/b.proto"),
            ("./a/./b.proto", "a/b.proto"),
            ("../a.proto", "../a.proto"),
            ("a/../b.proto", "a/../b.proto"),
            ("/a.proto", "/a.proto"),
            ("//a.proto", "/a.proto"),
            ("/../a.proto", "/a.proto"),
            ("a\\b.proto", "a/b.proto"),
            ("a.proto/", "a.proto"),
            ("", "."),
        ] {
            assert_eq!(tidy(written), stored, "{written}");
        }
    }
}
