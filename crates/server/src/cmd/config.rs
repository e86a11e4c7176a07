//! `sluice config`: every key, as a commented configuration file.

use std::process::ExitCode;

use super::say;
use crate::config::keys::{KEYS, Kind};

/// Prints the table of keys; what it prints is a valid file.
pub(super) fn run() -> ExitCode {
    say("# Every setting of sluice. In this file, as a flag (--name) or as a variable (SLUICE_NAME); flags win over");
    say("# variables, variables over the file.");
    for key in KEYS {
        say("");
        for line in wrapped(key.doc, 110) {
            say(format_args!("# {line}"));
        }
        if let Kind::Word(words) = key.kind {
            say(format_args!("# One of: {}.", words.join(", ")));
        }
        if let Some(default) = key.dev_default {
            say(format_args!("# In `sluice dev`: {default}."));
        }
        say(format_args!("# {}", key.variable()));
        match key.default {
            "" => say(format_args!("#{}:", key.name)),
            default => say(format_args!("#{}: {default}", key.name)),
        }
    }
    ExitCode::SUCCESS
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.len() - 1;
        if !lines[line].is_empty() && lines[line].len() + word.len() >= width {
            lines.push(word.to_owned());
        } else {
            if !lines[line].is_empty() {
                lines[line].push(' ');
            }
            lines[line].push_str(word);
        }
    }
    lines
}
