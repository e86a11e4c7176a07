//! Any body of a produce stream: splitting ends, and says the same however the body is cut into chunks.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_api::rest_v3::split_all;

const MAX_RECORD_BYTES: usize = 4096;

fuzz_target!(|bytes: &[u8]| {
    // The first byte says how the rest is cut.
    let Some((size, body)) = bytes.split_first() else { return };
    let whole = split_all(&[body], MAX_RECORD_BYTES);
    let chunks: Vec<&[u8]> = body.chunks(usize::from(*size) + 1).collect();
    assert_eq!(split_all(&chunks, MAX_RECORD_BYTES), whole);
});
