use super::*;

const A: &str = r#"{"value":{"type":"STRING","data":"a"}}"#;
const LIMIT: usize = 1 << 20;

/// The kinds of items, whatever the chunks.
fn kinds(body: &[u8]) -> String {
    let whole = split_all(&[body], LIMIT);
    for size in [1, 2, 3, 7, 64] {
        let chunks: Vec<&[u8]> = body.chunks(size).collect();
        assert_eq!(split_all(&chunks, LIMIT), whole, "in chunks of {size}: {:?}", String::from_utf8_lossy(body));
    }
    let first = |line: &String| line.split(' ').next().unwrap_or_default().to_owned();
    whole.iter().map(first).collect::<Vec<_>>().join(" ")
}

#[test]
fn records_need_nothing_between_them_and_may_have_blanks() {
    for between in ["", "\n", "\r\n", "  \t ", "\n\n\n"] {
        assert_eq!(kinds(format!("{A}{between}{A}").as_bytes()), "record record", "{between:?}");
    }
    assert_eq!(kinds(format!("\n {A} \r\n").as_bytes()), "record");
    assert_eq!(kinds(b""), "");
    assert_eq!(kinds(b"  \n "), "");
}

#[test]
fn the_stream_goes_on_or_ends_as_recorded() {
    // Recordings `stream-comma`, `stream-list`, `stream-empty`, `stream-syntax-errors`, `stream-encodings`.
    for (body, expected) in [
        ("A,A", "record broken"),
        ("[A,A]", "bad"),
        ("[A]A", "bad record"),
        ("[]", "bad"),
        ("[[]]A", "bad record"),
        ("[", "bad broken"),
        ("nullAnull", "bad record bad"),
        (r#"A{"value" 1}A"#, "record bad record"),
        ("AxA", "record broken"),
        ("A]A", "record broken"),
        ("A}A", "record broken"),
        (r#"A{"value":"#, "record bad broken"),
        ("A{", "record bad broken"),
        ("A//c\nA", "record broken"),
        (r#"A{"value":{"type":"JSON","data":NaN}}A"#, "record bad record"),
        ("{'value':null}A", "bad broken"),
        ("{value:null}A", "bad broken"),
        (r#"{"value":null,}A"#, "bad broken"),
        ("A{\"value\":{\"type\":\"STRING\",\"data\":\"x\ny\"}}A", "record bad broken"),
        (r#"{"value":{"type":"STRING","data":"\x"}}A"#, "bad broken"),
        ("xyz", "broken"),
        (r#"{"value":{"type":"JSON","data":01}}A"#, "bad broken"),
        (r#"{"value":{"type":"JSON","data":tru}}A"#, "bad broken"),
        ("A12", "record bad"),
        ("A12 A", "record bad record"),
        ("A12A", "record broken"),
        (r#""x"A"#, "bad record"),
        ("trueA", "bad record"),
        ("{}{\"a\":1}{}", "record bad record"),
        (r#"{"value":1,"x" 2}A"#, "bad broken"),
        (r#""x"#, "bad"),
        // A header's base64 that lacks its padding, and one whose closing quote is taken for a digit.
        (r#"{"headers":[{"name":"h","value":"YQ"}]}A"#, "bad record"),
        (r#"{"headers":[{"name":"h","value":"YWI"}]}A"#, "bad record"),
        (r#"{"headers":[{"name":"h","value":"Y"}]}A"#, "bad broken"),
        (r#"{"headers":[{"name":"h","value":"YQ="}]}A"#, "bad broken"),
        (r#"{"headers":[{"name":"h","value":"YQ="}]}"#, "bad broken"),
        (r#"{"headers":[{"name":"h","value":"YQ=B"}]}A"#, "bad record"),
    ] {
        assert_eq!(kinds(body.replace('A', A).as_bytes()), expected, "{body}");
    }
    assert_eq!(kinds(b"{\"value\":{\"type\":\"STRING\",\"data\":\"\xe9\"}}"), "bad");
    assert_eq!(kinds(b"{\"value\":{\"type\":\"STRING\",\"data\":\"\xff\xfe\"}}"), "bad broken");
}

#[test]
fn any_sequence_of_pieces_is_split_alike_in_any_chunks() {
    const PIECES: &[&str] = &[
        A,
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\\"",
        "\\u00e9",
        "\\x",
        " ",
        "\n",
        "\u{1}",
        "null",
        "tru",
        "true",
        "12",
        "-",
        "01",
        "1.5e",
        "\"value\"",
        "\"key\":",
        "\"data\":1",
        "\"type\":\"STRING\"",
        "NaN",
        "é",
        "/",
        "'",
        "\"x\":[{",
    ];
    // A generator of Lehmer's kind: the same sequences in every run.
    let mut seed = 88_172_645_463_325_252_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    for _ in 0..20_000 {
        let mut body: Vec<u8> = Vec::new();
        for _ in 0..1 + random(12) {
            body.extend_from_slice(PIECES[random(PIECES.len())].as_bytes());
        }
        if random(4) == 0 && !body.is_empty() {
            let at = random(body.len());
            body[at] = [0xff, 0xe9, b'"', b'\\'][random(4)];
        }
        kinds(&body);
    }
}

/// Of a chunk, only what ends the cut record is joined to it: pieces smaller and larger than a record, blank and bad
/// ones between them.
#[test]
fn long_records_are_split_alike_in_any_chunks() {
    let mut body = String::new();
    for size in [0, 1, 500, 1_900, 2_040, 2_050, 4_000, 4_100, 9_000, 100, 20_000, 3] {
        body += &format!(r#"{{"value":{{"type":"STRING","data":"{}\u00e9"}}}}"#, "é".repeat(size / 2));
        body += &" ".repeat(size);
        body += &format!(r#"{{"value":5,"skipped":[{}]}}"#, vec!["1"; size + 1].join(","));
    }
    let whole = split_all(&[body.as_bytes()], LIMIT);
    assert_eq!(whole.iter().filter(|line| line.starts_with("record ")).count(), 12);
    assert_eq!(whole.iter().filter(|line| line.starts_with("bad ")).count(), 12);
    for size in [1_000, 1_999, 2_048, 2_049, 4_096, 5_000, 9_999, 30_000, 65_536] {
        let chunks: Vec<&[u8]> = body.as_bytes().chunks(size).collect();
        assert_eq!(split_all(&chunks, LIMIT), whole, "in chunks of {size}");
    }
}

#[test]
fn nesting_names_and_numbers_have_limits() {
    let nested =
        |depth: usize| format!(r#"{{"value":{{"type":"JSON","data":{}{}}}}}"#, "[".repeat(depth), "]".repeat(depth));
    let split = |body: String| {
        let lines = split_all(&[body.as_bytes(), A.as_bytes()], LIMIT);
        let first = |line: &String| line.split(' ').next().unwrap_or_default().to_owned();
        lines.iter().map(first).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(split(nested(998)), "record record");
    assert_eq!(split(nested(999)), "bad record");
    assert_eq!(split(nested(1200)), "bad broken");
    assert_eq!(split(format!(r#"{{"{}":1}}"#, "n".repeat(50_001))), "bad broken");
    assert_eq!(split(format!(r#"{{"value":{{"type":"JSON","data":{}}}}}"#, "1".repeat(1001))), "bad record");
    assert_eq!(split(format!(r#"{{"value":{{"type":"JSON","data":{}}}}}"#, "1".repeat(1000))), "record record");
}

#[test]
fn a_record_over_the_limit_ends_the_stream_in_any_chunks() {
    let long = format!(r#"{{"value":{{"type":"STRING","data":"{}"}}}}"#, "x".repeat(3000));
    let body = format!("{A}{long}{A}");
    for size in [1, 100, 10_000] {
        let chunks: Vec<&[u8]> = body.as_bytes().chunks(size).collect();
        let lines = split_all(&chunks, 1000);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[1].starts_with("broken Produce request size"), "{lines:?}");
    }
}

#[test]
fn a_record_stays_the_next_one_until_it_is_dealt_with() {
    let mut stream = RecordStream::new(LIMIT);
    stream.push(Bytes::from(format!("{A}{{}}")));
    for _ in 0..2 {
        assert_eq!(stream.next(|record| record.value.is_some()), Item::Record(true));
    }
    stream.advance();
    assert_eq!(stream.next(|record| record.value.is_some()), Item::Record(false));
    stream.advance();
    assert_eq!(stream.next(|_| ()), Item::More);
    stream.finish();
    assert_eq!(stream.next(|_| ()), Item::End);
}

#[test]
fn an_error_in_a_cut_record_is_told_at_once() {
    let mut stream = RecordStream::new(LIMIT);
    stream.push(Bytes::from_static(b"{\"value\":[5"));
    assert!(matches!(stream.next(|_| ()), Item::Bad(_)), "as soon as the reader meets it");
    assert_eq!(stream.next(|_| ()), Item::More);
    stream.push(Bytes::from_static(b"]}{}"));
    assert_eq!(stream.next(|_| ()), Item::Record(()));
}

#[test]
fn a_stream_of_single_bytes_takes_linear_time() {
    // Quadratic work would take minutes: a text, a number, blanks, and a skipped text, each long.
    let long = 100_000;
    for body in [
        format!(r#"{{"value":{{"type":"STRING","data":"{}"}}}}"#, "x".repeat(long)),
        format!(r#"{{"value":{{"type":"JSON","data":{}}}}}"#, "1".repeat(long)),
        format!(r#"{{"value":{}{{"type":"JSON","data":1}}}}"#, " ".repeat(long)),
        format!(r#"{{"value":5,"skipped":"{}"}}"#, "x".repeat(long)),
        format!(r#"{{"value":5,"skipped"{}:1}}"#, " ".repeat(long)),
        format!(r#"{{"value":5,"skipped":{}}}"#, "1".repeat(long)),
        "1".repeat(long),
        format!("\"{}", "x".repeat(long)),
    ] {
        let chunks: Vec<&[u8]> = body.as_bytes().chunks(1).collect();
        assert!(!split_all(&chunks, 1 << 20).is_empty());
    }
}
