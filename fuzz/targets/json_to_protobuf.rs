//! Any JSON against a schema with every kind of field: what encodes also checks and decodes.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "everything.rs"]
mod everything;

fuzz_target!(|json: &[u8]| {
    everything::with_codec(|codec, message| {
        let mut payload = b"kept".to_vec();
        match codec.encode_json(message, json, &mut payload) {
            Err(_) => assert_eq!(payload, b"kept"),
            Ok(()) => {
                codec.check(message, &payload[4..]).expect("what was encoded decodes");
                let mut back = Vec::new();
                codec.decode_json(message, &payload[4..], &mut back).expect("what was encoded decodes");
                assert!(serde_json::from_slice::<&serde_json::value::RawValue>(&back).is_ok());
            }
        }
    });
});
