//! Any bytes: splitting a frame ends, and what was split frames and splits to the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_schema::wire::{self, FramedId};

fuzz_target!(|bytes: &[u8]| {
    let Ok((id, rest)) = wire::split(bytes) else { return };
    let indexes = wire::split_indexes(rest).ok();
    if let Some((indexes, payload)) = &indexes {
        assert!(!indexes.0.is_empty() && indexes.0.len() <= 64);
        let mut framed = Vec::new();
        wire::frame_indexes_into(indexes, &mut framed);
        framed.extend_from_slice(payload);
        assert_eq!(wire::split_indexes(&framed).as_ref(), Ok(&(indexes.clone(), *payload)));
    }
    if let FramedId::Id(id) = id {
        let mut framed = Vec::new();
        wire::frame_into(id, None, &mut framed);
        framed.extend_from_slice(rest);
        assert_eq!(framed, bytes);
    }
});
