#!/usr/bin/env bash
# Installs what building (`build`), testing (`test`) or measuring (`bench`) needs and is not there yet, saying what
# and why. Does nothing, offline included, when everything is there.
set -euo pipefail

packages=()
need() { # package, reason; called when something is missing
    packages+=("$1")
    echo "missing: $1 ($2)"
}

build() {
    local oldest=1.94 rust
    if ! command -v cargo >/dev/null; then
        if [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
            echo "Rust is installed, but this shell does not find it. Please run:" >&2
            echo "    . \"${CARGO_HOME:-$HOME/.cargo}/env\"" >&2
        else
            echo "Rust is missing: install $oldest or newer by rustup (https://rustup.rs), then run this again." >&2
        fi
        exit 1
    fi
    rust=$(cargo --version | cut -d' ' -f2)
    if [ "$(printf '%s\n' "$oldest" "$rust" | sort -V | head -n1)" != "$oldest" ]; then
        echo "Rust here is $rust, which is too old: $oldest or newer is needed (rustup update), then run this again." >&2
        exit 1
    fi
    command -v cc >/dev/null || need gcc "compiles librdkafka and SQLite"
    command -v c++ >/dev/null || need g++ "librdkafka's build looks for it"
    command -v make >/dev/null || need make "librdkafka's build"
    command -v pkg-config >/dev/null || need pkg-config "finds OpenSSL and zlib"
    [ -e /usr/include/openssl/ssl.h ] || need libssl-dev "TLS to Kafka and Postgres"
    [ -e /usr/include/zlib.h ] || need zlib1g-dev "gzip record batches"
}

testing() {
    command -v python3 >/dev/null || need python3 "runs the black-box tests"
    python3 -c 'import venv, ensurepip' 2>/dev/null || need python3-venv "keeps the test clients out of the system"
    if ! command -v java >/dev/null || ! command -v javac >/dev/null; then
        need default-jdk-headless "runs Apache Kafka; compiles the Java client under test"
    fi
    command -v mvn >/dev/null || need maven "fetches the jars of Apache Kafka and of the Java client under test"
    command -v node >/dev/null || need nodejs "runs the Node clients under test (20 or newer)"
    command -v npm >/dev/null || need npm "installs the Node clients under test"
    command -v go >/dev/null || need golang-go "builds the Go clients under test (1.21 or newer)"
    if ! command -v initdb >/dev/null && ! compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
        need postgresql "runs Postgres"
    fi
}

bench() {
    command -v wrk >/dev/null || need wrk "loads the HTTP server"
    command -v pgbench >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/pgbench' >/dev/null || need postgresql "pgbench"
}

for part in "${@:-build}"; do
    case $part in
        build) build ;;
        test) testing ;;
        bench) bench ;;
        *) echo "unknown part: $part" >&2; exit 2 ;;
    esac
done
[ ${#packages[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
    echo "This is no Debian-like system: install the packages above by its own means, then run this again." >&2
    exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root=(sudo -n)
    else
        echo "Not root, and sudo asks for a password. Please run:" >&2
        echo "    sudo apt-get update && sudo apt-get install --no-install-recommends ${packages[*]}" >&2
        exit 1
    fi
fi
echo "installing: ${packages[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { "${as_root[@]}" apt-get update -qq && "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    echo "The packages could not be installed (no network?). They are: ${packages[*]}" >&2
    exit 1
fi
rm -f "$log"
