#!/bin/sh
# Runs every fuzz target for SECONDS (default 20) each, or the targets named as arguments; stops at the first crash.
# The input that crashed is under fuzz/artifacts/<target>/; repeat it with `cargo fuzz run <target> <file>`.
#
# No nightly toolchain: RUSTC_BOOTSTRAP lets the stable compiler take the sanitizer's flags. cargo-fuzz is pinned and
# lives in .cache/, not among the user's own tools. Everything is built in fuzz/target, apart from the other builds.
set -eu
seconds=${SECONDS:-20}                   # read first: a bash that plays sh starts counting in this variable
[ "$seconds" -gt 1 ] || seconds=20
began=$(date +%s)

version=0.13.2
cd "$(dirname "$0")/.."
root=$PWD
tools=$root/.cache/cargo-fuzz
if ! "$tools/bin/cargo-fuzz" --version 2>/dev/null | grep -q " $version\$"; then
    echo "installing cargo-fuzz $version into .cache/"
    cargo install --quiet --locked --root "$tools" --version "$version" --target-dir "$root/fuzz/target/cargo-fuzz" cargo-fuzz
fi
export PATH="$tools/bin:$PATH" RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$root/fuzz/target"

python3 fuzz/seeds.py
targets=${*:-$(sed -n '/^\[\[bin\]\]/{n;s/name = "\(.*\)"/\1/p;}' fuzz/Cargo.toml)}
for target in $targets; do
    echo "== $target: ${seconds}s"
    mkdir -p "fuzz/corpus/$target"
    cargo fuzz run "$target" -- -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1
done
echo "== all of it, with building: $(($(date +%s) - began))s"
