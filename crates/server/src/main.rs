//! `sluice`: the binary. Wires adapters into the domain, serves, and shuts down; no rules of its own.
//!
//! One file per command in `cmd/`; the flags of every command that reads the configuration come from the table in
//! `config/keys.rs`.

mod clusters;
mod cmd;
mod config;
mod control_files;
mod descriptors;
mod node;
mod readiness;
mod schemas;
mod telemetry;
mod topology;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cmd::run(std::env::args_os())
}
