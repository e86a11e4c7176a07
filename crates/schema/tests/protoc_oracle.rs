//! Two other parsers read what this crate prints, and build the same descriptors.
//!
//! protoc comes with the Python package grpcio-tools: the environment variable `SLUICE_TEST_PYTHON` names a Python
//! that has it (`make test` sets it). `protobuf-parse` is a second opinion and runs in a child process, because it
//! aborts on some inputs; where it is known to be wrong, [`SECOND_OPINION_DEFECTS`] says how.
//!
//! The corpus: `tests/oracle/*.proto`, the built-in files, and every text of the recorded corpus without references.
//! Texts go through parse and print first: a canonical text must mean what its source meant.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use prost::Message as _;
use prost_types::field_descriptor_proto::Type;
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto};
use sluice_schema::protobuf::ProtobufSchema;

const CRATE: &str = env!("CARGO_MANIFEST_DIR");
const ROOT: &str = "root.proto";
/// Set in the child process: the folder of the file to parse.
const CHILD: &str = "SLUICE_PROTOBUF_PARSE_CHILD";

/// Where `protobuf-parse` accepts a text but builds another descriptor than protoc, and why.
const SECOND_OPINION_DEFECTS: &[(&str, &str)] =
    &[("oracle/map_names.proto", "synthetic oneofs stand before real ones and do not avoid taken names")];

/// Name → canonical text.
fn corpus() -> BTreeMap<String, String> {
    let mut sources = BTreeMap::new();
    for folder in
        ["tests/oracle", "proto/google/protobuf", "proto/google/type", "proto/confluent", "proto/confluent/type"]
    {
        for path in files(&Path::new(CRATE).join(folder), "proto") {
            let name = path.strip_prefix(CRATE).unwrap().to_string_lossy().replace("tests/", "");
            sources.insert(name, std::fs::read_to_string(path).unwrap());
        }
    }
    let recorded = Path::new(CRATE).join("../../compat-tests/golden/registry/recorded");
    for path in files(&recorded, "json") {
        let text = std::fs::read_to_string(&path).unwrap();
        if !text.contains("PROTOBUF") {
            continue;
        }
        let scenario: serde_json::Value = serde_json::from_str(&text).unwrap();
        for step in scenario["steps"].as_array().unwrap() {
            let body = &step["body"];
            if let (true, true, Some(schema)) =
                (body["schemaType"] == "PROTOBUF", body["references"].is_null(), body["schema"].as_str())
            {
                let name = format!("{}/{}", path.file_stem().unwrap().to_string_lossy(), step["n"]);
                sources.insert(name, schema.to_owned());
            }
        }
    }
    let canonical = |(name, source): (String, String)| Some((name, schema(&source)?.canonical_text().to_string()));
    let mut seen = HashSet::new();
    sources.into_iter().filter_map(canonical).filter(|(_, text)| seen.insert(text.clone())).collect()
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    paths
}

fn schema(text: &str) -> Option<ProtobufSchema> {
    ProtobufSchema::parse(text, [].into(), [].into()).ok()
}

/// This crate's descriptor, normalised. `None` when a type does not resolve.
fn ours(text: &str) -> Option<FileDescriptorProto> {
    let files = schema(text)?.linkable_files(ROOT).ok()?;
    Some(normalised(files.into_iter().next_back()?))
}

#[test]
fn protoc_builds_the_same_descriptors() {
    let corpus = corpus();
    let theirs = protoc(&corpus);
    let mut agreed = 0;
    let mut wrong = Vec::new();
    for (name, text) in &corpus {
        let Some(theirs) = &theirs[name] else {
            if name.starts_with("oracle/") || name.starts_with("proto/") {
                wrong.push(format!("{name}: protoc refuses the canonical text\n{text}"));
            }
            continue;
        };
        let theirs = normalised(FileDescriptorProto::decode(theirs.as_slice()).unwrap());
        match ours(text) {
            Some(ours) if ours == theirs => agreed += 1,
            Some(ours) => wrong.push(format!("{name}\n{}", difference(&ours, &theirs))),
            None => wrong.push(format!("{name}: protoc accepts what does not link here")),
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), corpus.len(), wrong.join("\n"));
    assert!(agreed >= 150, "only {agreed} texts were compared");
}

/// Every text's descriptor from protoc, or `None` where it refuses.
fn protoc(corpus: &BTreeMap<String, String>) -> BTreeMap<String, Option<Vec<u8>>> {
    const DRIVER: &str = r#"
import base64, json, os, sys, tempfile
from grpc_tools import protoc
errors = os.open(os.devnull, os.O_WRONLY)
os.dup2(errors, 2)
for line in sys.stdin:
    case = json.loads(line)
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "root.proto"), "w", encoding="utf-8") as file:
            file.write(case["text"])
        out = os.path.join(folder, "out")
        code = protoc.main(["protoc", "-I" + folder, "-I" + sys.argv[1], "--descriptor_set_out=" + out, "root.proto"])
        found = base64.b64encode(open(out, "rb").read()).decode() if code == 0 else None
        print(json.dumps({"name": case["name"], "descriptor": found}), flush=True)
"#;
    let python = std::env::var("SLUICE_TEST_PYTHON")
        .expect("SLUICE_TEST_PYTHON must name a Python with grpcio-tools: run `make test`");
    let mut input = String::new();
    for (name, text) in corpus {
        input.push_str(&serde_json::json!({ "name": name, "text": text }).to_string());
        input.push('\n');
    }
    let mut child = Command::new(python)
        .args(["-c", DRIVER, &format!("{CRATE}/proto")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the protoc driver failed: is grpcio-tools installed there?");
    let mut found = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let answer: serde_json::Value = serde_json::from_str(line).unwrap();
        let set = answer["descriptor"].as_str().map(|text| base64_simd::STANDARD.decode_to_vec(text).unwrap());
        let file = set.map(|set| {
            let set = prost_types::FileDescriptorSet::decode(set.as_slice()).unwrap();
            set.file.into_iter().next().unwrap().encode_to_vec()
        });
        found.insert(answer["name"].as_str().unwrap().to_owned(), file);
    }
    assert_eq!(found.len(), corpus.len());
    found
}

#[test]
fn protobuf_parse_agrees_or_its_defect_is_known() {
    let mut agreed = 0;
    let mut defects = 0;
    let mut wrong = Vec::new();
    for (name, text) in &corpus() {
        let Some(theirs) = protobuf_parse(text) else { continue };
        let theirs = normalised(FileDescriptorProto::decode(theirs.as_slice()).unwrap());
        let Some(ours) = ours(text) else { continue };
        let known = SECOND_OPINION_DEFECTS.iter().find(|(defect, _)| defect == name);
        match (ours == theirs, known) {
            (true, None) => agreed += 1,
            (false, Some(_)) => defects += 1,
            (true, Some((_, defect))) => {
                wrong.push(format!("{name}: no longer has the defect ({defect}); take it off"))
            }
            (false, None) => wrong.push(format!("{name}\n{}", difference(&ours, &theirs))),
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(defects, SECOND_OPINION_DEFECTS.len(), "a listed text is refused now");
    assert!(agreed >= 150, "only {agreed} texts were compared");
}

/// What a child process that runs `protobuf-parse` made of the text; `None` when it refused or died.
fn protobuf_parse(text: &str) -> Option<Vec<u8>> {
    let folder = std::env::temp_dir().join(format!("sluice-protobuf-parse-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(ROOT), text).unwrap();
    let out = folder.join("out");
    let _ = std::fs::remove_file(&out);
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_runs_protobuf_parse", "--quiet"])
        .env(CHILD, &folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    let found = status.success().then(|| std::fs::read(&out).ok()).flatten();
    std::fs::remove_dir_all(&folder).unwrap();
    found
}

/// No test of its own: the other end of [`protobuf_parse`].
#[test]
fn child_that_runs_protobuf_parse() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let folder = PathBuf::from(folder);
    let parsed = protobuf_parse::Parser::new()
        .pure()
        .includes([folder.clone(), Path::new(CRATE).join("proto")])
        .input(folder.join(ROOT))
        .parse_and_typecheck()
        .unwrap();
    let file = parsed.file_descriptors.into_iter().find(|file| file.name() == ROOT).unwrap();
    std::fs::write(folder.join("out"), protobuf::Message::write_to_bytes(&file).unwrap()).unwrap();
}

/// The descriptor without what printing and linking do not decide: imports, sources, custom options, `json_name`
/// that follows from the name, empty options, the `proto2` word; floating defaults by value.
fn normalised(mut file: FileDescriptorProto) -> FileDescriptorProto {
    file.name = Some(ROOT.to_owned());
    file.source_code_info = None;
    file.dependency.clear();
    file.public_dependency.clear();
    file.weak_dependency.clear();
    file.syntax = file.syntax.filter(|syntax| syntax != "proto2");
    drop_empty(&mut file.options, |options| options.uninterpreted_option.clear());
    file.message_type.iter_mut().for_each(normalise_message);
    file.enum_type.iter_mut().for_each(normalise_enum);
    file.extension.iter_mut().for_each(normalise_field);
    for service in &mut file.service {
        drop_empty(&mut service.options, |options| options.uninterpreted_option.clear());
        for method in &mut service.method {
            drop_empty(&mut method.options, |options| options.uninterpreted_option.clear());
            method.client_streaming = method.client_streaming.filter(|streams| *streams);
            method.server_streaming = method.server_streaming.filter(|streams| *streams);
        }
    }
    file
}

fn drop_empty<T: Default + PartialEq>(options: &mut Option<T>, clear: impl Fn(&mut T)) {
    if let Some(present) = options {
        clear(present);
    }
    if options.as_ref().is_some_and(|options| *options == T::default()) {
        *options = None;
    }
}

fn normalise_message(message: &mut DescriptorProto) {
    message.field.iter_mut().chain(&mut message.extension).for_each(normalise_field);
    message.nested_type.iter_mut().for_each(normalise_message);
    message.enum_type.iter_mut().for_each(normalise_enum);
    message.extension_range.iter_mut().for_each(|range| range.options = None);
    message.oneof_decl.iter_mut().for_each(|oneof| oneof.options = None);
    drop_empty(&mut message.options, |options| options.uninterpreted_option.clear());
}

fn normalise_enum(enum_: &mut EnumDescriptorProto) {
    drop_empty(&mut enum_.options, |options| options.uninterpreted_option.clear());
    for value in &mut enum_.value {
        drop_empty(&mut value.options, |options| options.uninterpreted_option.clear());
    }
}

fn normalise_field(field: &mut FieldDescriptorProto) {
    let implied = json_name(field.name());
    field.json_name = field.json_name.take().filter(|name| *name != implied);
    drop_empty(&mut field.options, |options| options.uninterpreted_option.clear());
    if matches!(field.r#type(), Type::Double | Type::Float) {
        let value = field.default_value.as_deref().and_then(|text| text.parse::<f64>().ok());
        field.default_value = value.map(|value| value.to_string()).or(field.default_value.take());
    }
}

/// protoc's rule: letters behind `_` are capitals.
fn json_name(name: &str) -> String {
    let mut out = String::new();
    let mut capital = false;
    for letter in name.chars() {
        if letter == '_' {
            capital = true;
        } else {
            out.push(if capital { letter.to_ascii_uppercase() } else { letter });
            capital = false;
        }
    }
    out
}

/// The lines of the two that differ.
fn difference(ours: &FileDescriptorProto, theirs: &FileDescriptorProto) -> String {
    let (ours, theirs) = (format!("{ours:#?}"), format!("{theirs:#?}"));
    let (ours, theirs): (Vec<&str>, Vec<&str>) = (ours.lines().collect(), theirs.lines().collect());
    let at = ours.iter().zip(&theirs).position(|(a, b)| a != b).unwrap_or(ours.len().min(theirs.len()));
    let window = |lines: &[&str]| lines[at.saturating_sub(12).min(lines.len())..(at + 8).min(lines.len())].join("\n");
    format!("  ours:\n{}\n  theirs:\n{}", window(&ours), window(&theirs))
}
