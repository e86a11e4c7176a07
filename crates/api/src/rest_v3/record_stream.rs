//! A request body → records: where each one ends, and how the stream goes on after a bad one.
//!
//! Chunks come as they come; a record inside one chunk is read from the chunk in place, one that is cut is joined. What
//! is no record costs a report; after a broken object the stream looks for its end as the reference's Jackson does, and
//! a second error on the way ends it. Whatever the chunks, the outcome is the same.
//!
//! Pure. Memory: one chunk, or one record of at most `max_record_bytes`. Time is linear: a cut record is tried again
//! only when its end has come or its size has doubled, and skipping never looks back.
//!
//! Source: jackson-databind `MappingIterator` (`_resync`), rest-proxy.md §2.2; recordings `stream-*`.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memchr2;
use sluice_data_plane::record::RecordRequest;

use super::encoding::Transcoder;
use super::record;
use super::tokens::{Input, Reader, State, Stop, Token};

/// So much of a chunk is joined at least to what the one before has left over.
const FIRST_PIECE: usize = 2 * 1024;

/// What comes next in a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item<T> {
    /// A record, and what was made of it. It stays the next item until [`RecordStream::advance`].
    Record(T),
    /// No record, in words; the stream goes on.
    Bad(String),
    /// The end of the stream for a reason, in words.
    Broken(String),
    /// Nothing before another chunk.
    More,
    /// The end.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Before a record.
    Between,
    /// Looking for the end of a broken one.
    Lost,
    /// Nothing more will come of it.
    Over,
}

/// Follows the brackets of a record that is cut, so as to notice its end.
#[derive(Debug, Default)]
struct Outline {
    /// Bytes behind the record's start that were looked at.
    seen: usize,
    depth: usize,
    in_text: bool,
    is_escaped: bool,
    /// Whether what was looked at last ends with the end of a value.
    is_closed: bool,
    /// How long the record was when it was last tried.
    tried: usize,
}

impl Outline {
    /// Looks at `bytes` from where it stopped, up to the first end of a value, if there is one.
    fn follow(&mut self, bytes: &[u8]) {
        self.is_closed = false;
        while let Some(byte) = bytes.get(self.seen).filter(|_| !self.is_closed) {
            if self.in_text {
                if std::mem::take(&mut self.is_escaped) {
                    self.seen += 1;
                    continue;
                }
                let rest = bytes.get(self.seen..).unwrap_or_default();
                let Some(found) = memchr2(b'"', b'\\', rest) else {
                    self.seen = bytes.len();
                    return;
                };
                match rest[found] {
                    b'\\' => self.is_escaped = true,
                    _ => {
                        self.in_text = false;
                        self.is_closed = self.depth == 0;
                    }
                }
                self.seen += found + 1;
                continue;
            }
            match byte {
                b'"' => self.in_text = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.is_closed = self.depth == 0;
                }
                // Words and numbers end before something else.
                _ if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+' | b'.') => {}
                _ => self.is_closed = self.depth == 0,
            }
            self.seen += 1;
        }
    }

    /// Whether trying again may tell something new.
    fn is_worth_a_try(&mut self, bytes: &[u8]) -> bool {
        self.follow(bytes);
        self.is_closed || bytes.len() >= 2 * self.tried
    }

    /// The record was tried with these bytes, in vain.
    fn tried(&mut self, bytes: &[u8]) {
        while self.seen < bytes.len() {
            self.follow(bytes);
        }
        self.tried = bytes.len();
    }
}

/// The bytes at hand.
#[derive(Debug)]
enum Buffer {
    /// A chunk, as it came.
    Chunk(Bytes),
    /// What the chunks before have left over, and the first `taken` bytes of the last one: as many as it takes to end the
    /// record that is cut. Behind that record the chunk is read in place.
    Joined { joined: BytesMut, chunk: Bytes, taken: usize },
}

impl Buffer {
    fn bytes(&self) -> &[u8] {
        match self {
            Buffer::Chunk(bytes) => bytes,
            Buffer::Joined { joined, .. } => joined,
        }
    }

    /// Whether there are bytes behind [`Buffer::bytes`].
    fn has_more(&self) -> bool {
        matches!(self, Buffer::Joined { chunk, taken, .. } if *taken < chunk.len())
    }

    fn consume(&mut self, count: usize) {
        match self {
            Buffer::Chunk(bytes) => bytes.advance(count.min(bytes.len())),
            Buffer::Joined { joined, chunk, taken } => {
                joined.advance(count.min(joined.len()));
                if let Some(at) = taken.checked_sub(joined.len()) {
                    *self = Buffer::Chunk(chunk.split_off(at));
                }
            }
        }
    }

    fn append(&mut self, next: Bytes) {
        while self.take_more() {}
        let bytes = self.bytes();
        if bytes.is_empty() {
            *self = Buffer::Chunk(next);
            return;
        }
        match self {
            Buffer::Joined { chunk, taken, .. } => (*chunk, *taken) = (next, 0),
            Buffer::Chunk(kept) => {
                let mut joined = BytesMut::with_capacity(2 * kept.len().max(FIRST_PIECE));
                joined.extend_from_slice(kept);
                *self = Buffer::Joined { joined, chunk: next, taken: 0 };
            }
        }
        self.take_more();
    }

    /// Joins as much again of the last chunk; `false` if there is none left.
    fn take_more(&mut self) -> bool {
        let Buffer::Joined { joined, chunk, taken } = self else { return false };
        let rest = chunk.get(*taken..).unwrap_or_default();
        let piece = rest.get(..joined.len().max(FIRST_PIECE)).unwrap_or(rest);
        joined.extend_from_slice(piece);
        *taken += piece.len();
        !piece.is_empty()
    }
}

/// The records of one request body.
#[derive(Debug)]
pub(super) struct RecordStream {
    transcoder: Transcoder,
    buffer: Buffer,
    input: Input,
    mode: Mode,
    state: State,
    outline: Option<Outline>,
    /// Where the current record ends in the buffer.
    end: usize,
    max_record_bytes: usize,
}

impl RecordStream {
    /// A stream before its first chunk.
    pub(super) fn new(max_record_bytes: usize) -> RecordStream {
        RecordStream {
            transcoder: Transcoder::new(),
            buffer: Buffer::Chunk(Bytes::new()),
            input: Input::Open,
            mode: Mode::Between,
            state: State::default(),
            outline: None,
            end: 0,
            max_record_bytes,
        }
    }

    /// The next chunk of the body.
    pub(super) fn push(&mut self, chunk: Bytes) {
        self.take(chunk, false);
    }

    /// The body has ended.
    pub(super) fn finish(&mut self) {
        self.input = Input::Ended;
        self.take(Bytes::new(), true);
    }

    fn take(&mut self, chunk: Bytes, is_last: bool) {
        if self.mode == Mode::Over {
            return;
        }
        match self.transcoder.push(chunk, is_last) {
            Ok(bytes) if bytes.is_empty() => {}
            Ok(bytes) => self.buffer.append(bytes),
            // What is left of a stream nobody can read: not JSON either.
            Err(_) => self.buffer.append(Bytes::from_static(b"\x01")),
        }
    }

    /// What comes next; a record is handed to `each`, and comes again until [`RecordStream::advance`].
    pub(super) fn next<T>(&mut self, mut each: impl FnMut(&RecordRequest<'_>) -> T) -> Item<T> {
        loop {
            let has_more = self.buffer.has_more();
            match self.next_at_hand(&mut each) {
                // If what was joined is used up, the rest of the chunk is at hand already.
                Item::More if has_more => {
                    self.buffer.take_more();
                }
                item => return item,
            }
        }
    }

    /// Whether more may come behind the bytes at hand.
    fn input(&self) -> Input {
        if self.buffer.has_more() { Input::Open } else { self.input }
    }

    fn next_at_hand<T>(&mut self, each: impl FnOnce(&RecordRequest<'_>) -> T) -> Item<T> {
        match self.mode {
            Mode::Over => return Item::End,
            Mode::Lost => match self.find_back() {
                Ok(()) => {}
                Err(item) => return item.into_item(),
            },
            Mode::Between => {}
        }
        let (input, bytes) = (self.input(), self.buffer.bytes());
        if let Some(outline) = &mut self.outline
            && input == Input::Open
            && bytes.len() <= self.max_record_bytes
            && !outline.is_worth_a_try(bytes)
        {
            return Item::More;
        }
        self.state.reset();
        let mut reader = Reader { bytes, at: 0, input, state: &mut self.state };
        let (start, read) = match reader.next() {
            Ok(Token::ObjectStart) => (reader.at - 1, record::read(&mut reader)),
            Ok(Token::End) => return self.end().into_item(),
            Ok(Token::Null) => (reader.at, Err(Stop::Bad("Cannot construct a record from null".to_owned()))),
            // One byte is read of what begins: a quote, a bracket.
            Ok(token) => (reader.at - 1, Err(record::refuse_scalar(&mut reader, token))),
            Err(Stop::More) => {
                let blanks = reader.at;
                self.buffer.consume(blanks);
                return self.wait().into_item();
            }
            Err(Stop::Bad(text)) => return self.break_off(text).into_item(),
        };
        let at = reader.at;
        let is_too_large = at - start > self.max_record_bytes;
        match read {
            Err(Stop::More) => {
                self.buffer.consume(start);
                self.wait().into_item()
            }
            _ if is_too_large => self.too_large().into_item(),
            Err(Stop::Bad(text)) => {
                self.buffer.consume(at);
                self.outline = None;
                self.state.is_lost = true;
                self.mode = Mode::Lost;
                Item::Bad(text)
            }
            Ok(record) => {
                self.end = at;
                Item::Record(each(&record))
            }
        }
    }

    /// The record has been dealt with.
    pub(super) fn advance(&mut self) {
        self.buffer.consume(std::mem::take(&mut self.end));
        self.outline = None;
    }

    fn end(&mut self) -> NoRecord {
        self.mode = Mode::Over;
        NoRecord::End
    }

    /// Nothing to be had before more comes; remembers how far the cut record was looked at.
    fn wait(&mut self) -> NoRecord {
        let bytes = self.buffer.bytes();
        if bytes.len() > self.max_record_bytes {
            return self.too_large();
        }
        if bytes.is_empty() {
            self.outline = None;
        } else {
            self.outline.get_or_insert_default().tried(bytes);
        }
        NoRecord::More
    }

    fn break_off(&mut self, text: String) -> NoRecord {
        self.mode = Mode::Over;
        self.buffer = Buffer::Chunk(Bytes::new());
        NoRecord::Broken(text)
    }

    fn too_large(&mut self) -> NoRecord {
        self.break_off("Produce request size is larger than allowed threshold".to_owned())
    }

    /// Looks for the end of the broken object.
    fn find_back(&mut self) -> Result<(), NoRecord> {
        let input = self.input();
        let mut reader = Reader { bytes: self.buffer.bytes(), at: 0, input, state: &mut self.state };
        let mut found = Ok(());
        while found.is_ok() && reader.state.depth() > 0 {
            found = reader.next().map(drop);
        }
        let at = reader.at;
        self.buffer.consume(at);
        match found {
            Ok(()) => {
                self.mode = Mode::Between;
                Ok(())
            }
            Err(Stop::More) => Err(NoRecord::More),
            Err(Stop::Bad(text)) => Err(self.break_off(text)),
        }
    }
}

/// An [`Item`] that is no record.
enum NoRecord {
    Broken(String),
    More,
    End,
}

impl NoRecord {
    fn into_item<T>(self) -> Item<T> {
        match self {
            NoRecord::Broken(text) => Item::Broken(text),
            NoRecord::More => Item::More,
            NoRecord::End => Item::End,
        }
    }
}

/// What a stream in these chunks holds, one line per item: for tests and fuzzing, where the lines must not depend on how
/// the stream is cut.
pub fn split_all(chunks: &[&[u8]], max_record_bytes: usize) -> Vec<String> {
    let mut stream = RecordStream::new(max_record_bytes);
    let mut lines = Vec::new();
    let mut chunks = chunks.iter();
    loop {
        match stream.next(|record| format!("record {record:?}")) {
            Item::Record(line) => {
                lines.push(line);
                stream.advance();
            }
            Item::Bad(text) => lines.push(format!("bad {text}")),
            Item::Broken(text) => lines.push(format!("broken {text}")),
            Item::End => return lines,
            Item::More => match chunks.next() {
                Some(chunk) => stream.push(Bytes::copy_from_slice(chunk)),
                None => stream.finish(),
            },
        }
    }
}

#[cfg(test)]
mod tests;
