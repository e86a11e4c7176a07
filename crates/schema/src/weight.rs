//! Bytes on the heap, counted over a value: what the caches weigh parsed schemas by.
//!
//! [`Heap::heap_bytes`] walks what a value owns and adds up its blocks as an allocator hands them out, rounded to 16
//! bytes. A walk, not a guess by length of text: `[[[[…` and `{"":{"":…` take thirty times their text, a doc string once.
//! What is compiled from a model (codecs, validators) is not walked; the formats' `weight_bytes` estimate it by the model,
//! once it is there.
//!
//! To weigh a new type: a line of [`heap!`] naming the fields that own something.
//! `tests/weights.rs` holds the sums against a counting allocator.

use std::sync::Arc;

use crate::{Reference, ResolvedReference};

/// Owns memory on the heap.
pub(crate) trait Heap {
    /// Bytes of all blocks that the value owns; not those of the value itself.
    fn heap_bytes(&self) -> usize;
}

/// What an allocator hands out for so many bytes.
pub(crate) fn block(bytes: usize) -> usize {
    bytes.next_multiple_of(16)
}

/// [`Heap`] of structs, as the sum over the fields named; with no field named, nothing is owned.
macro_rules! heap {
    ($($type:ty { $($field:ident),* })*) => {
        $(impl $crate::weight::Heap for $type {
            fn heap_bytes(&self) -> usize {
                0 $(+ $crate::weight::Heap::heap_bytes(&self.$field))*
            }
        })*
    };
}
pub(crate) use heap;

impl Heap for String {
    fn heap_bytes(&self) -> usize {
        block(self.capacity())
    }
}

impl Heap for Box<str> {
    fn heap_bytes(&self) -> usize {
        block(self.len())
    }
}

impl Heap for u32 {
    fn heap_bytes(&self) -> usize {
        0
    }
}

impl<T: Heap> Heap for Option<T> {
    fn heap_bytes(&self) -> usize {
        self.as_ref().map_or(0, Heap::heap_bytes)
    }
}

impl<T: Heap> Heap for Vec<T> {
    fn heap_bytes(&self) -> usize {
        block(self.capacity() * size_of::<T>()) + self.iter().map(Heap::heap_bytes).sum::<usize>()
    }
}

impl<T: Heap> Heap for Box<[T]> {
    fn heap_bytes(&self) -> usize {
        block(size_of_val::<[T]>(self)) + self.iter().map(Heap::heap_bytes).sum::<usize>()
    }
}

impl<T: Heap> Heap for Box<T> {
    fn heap_bytes(&self) -> usize {
        block(size_of::<T>()) + (**self).heap_bytes()
    }
}

impl<A: Heap, B: Heap> Heap for (A, B) {
    fn heap_bytes(&self) -> usize {
        self.0.heap_bytes() + self.1.heap_bytes()
    }
}

heap! {
    Reference { name, subject }
}

/// What every format carries beside its model: its text, its references, and their texts. Texts of references may be
/// shared with other schemas; they count for each.
pub(crate) fn of_parts(text: &str, references: &[Reference], resolved: &[ResolvedReference]) -> usize {
    // Two counts stand before what an `Arc` holds.
    const COUNTS: usize = 2 * size_of::<usize>();
    let carried = |references: &[Reference]| {
        block(COUNTS + size_of_val(references)) + references.iter().map(Heap::heap_bytes).sum::<usize>()
    };
    let shared = |text: &Arc<str>| block(COUNTS + text.len());
    let of_resolved = |resolved: &ResolvedReference| {
        let ResolvedReference { name, subject, version: _, text, references } = resolved;
        shared(name) + shared(subject) + shared(text) + carried(references)
    };
    block(COUNTS + text.len())
        + carried(references)
        + block(COUNTS + size_of_val(resolved))
        + resolved.iter().map(of_resolved).sum::<usize>()
}
