//! Any bytes as the body of any registry request: read or refused, and a refusal is the client's to mend.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_api::sr::read_bodies;

fuzz_target!(|body: &[u8]| {
    for (request, refusal) in read_bodies(body) {
        if let Some(refusal) = refusal {
            assert!(refusal.status.is_client_error(), "{request}: {} {}", refusal.status, refusal.message);
            assert!(refusal.message.len() <= 2_000, "{request}: a message of {} bytes", refusal.message.len());
        }
    }
});
