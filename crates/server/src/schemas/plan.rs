//! Reads the given files and all that they refer to, and puts them in an order in which each comes after its own
//! references.
//!
//! A reference is looked for among the files at hand, then below the roots: a `.proto` by its import path, an `.avsc`
//! by the full name of its type, a `.json` by its path (from the file that refers, then from the roots) or its `$id`.
//! Invariant: [`Plan::files`] holds each file once, references first. Whatever is wrong is said of all files at once.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use sluice_schema::outline::Outline;
use sluice_schema::{InvalidSchema, Reference, ResolvedReference, Schema, SchemaType, ValidateFields};

use super::locate;

/// Files of one run, at most, and files looked through below the roots for the name of a type.
const MOST_FILES: usize = 20_000;
/// A file larger than this is no schema.
const MOST_BYTES: u64 = 16 * 1024 * 1024;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) file: PathBuf,
    /// From 1.
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// A reference from one file to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// As the text names it.
    pub(crate) name: String,
    /// Index of the file that it means.
    pub(crate) target: usize,
}

/// A file and what it refers to.
#[derive(Debug)]
pub(crate) struct SchemaFile {
    /// As it was given or found.
    pub(crate) path: PathBuf,
    /// From its root, with forward slashes.
    pub(crate) name: String,
    pub(crate) schema_type: SchemaType,
    pub(crate) text: String,
    pub(crate) outline: Outline,
    /// Named on the command line, not only referred to.
    pub(crate) is_given: bool,
    pub(crate) links: Vec<Link>,
    /// The first name by which another file refers to it.
    pub(crate) referred_as: Option<String>,
}

/// Files in order.
#[derive(Debug)]
pub(crate) struct Plan {
    /// References first.
    pub(crate) files: Vec<SchemaFile>,
}

impl Plan {
    /// Reads `given` (directories: every schema file below) and what they refer to.
    pub(crate) fn read(given: &[PathBuf], roots: &[PathBuf]) -> Result<Plan, Vec<Problem>> {
        let here = [PathBuf::from(".")];
        let roots = if roots.is_empty() { &here[..] } else { roots };
        let mut reader = Reader { roots, files: Vec::new(), known: HashMap::new(), named: None, problems: Vec::new() };
        for path in given {
            reader.take(path);
        }
        let mut at = 0;
        while at < reader.files.len() {
            reader.follow(at);
            at += 1;
        }
        let Reader { files, mut problems, .. } = reader;
        match order(&files) {
            Ok(order) if problems.is_empty() => Ok(Plan { files: sorted(files, &order) }),
            Ok(_) => Err(problems),
            Err(cycle) => {
                problems.push(cycle);
                Err(problems)
            }
        }
    }

    /// The schema of a file, parsed and checked with its references; the registry would say no more.
    /// [`InvalidSchema::UnknownType`] of a language that this build leaves to the registry.
    pub(crate) fn parse(&self, at: usize) -> Result<Schema, InvalidSchema> {
        let mut resolved = Vec::new();
        self.resolve(at, &mut resolved);
        let file = &self.files[at];
        let schema = Schema::parse(file.schema_type, &file.text, self.references(at).into(), resolved.into())?;
        schema.validate(ValidateFields::No)?;
        Ok(schema)
    }

    fn references(&self, at: usize) -> Vec<Reference> {
        let links = self.files[at].links.iter();
        links
            .map(|link| Reference {
                name: link.name.clone(),
                subject: self.files[link.target].name.clone(),
                version: 1,
            })
            .collect()
    }

    /// The texts of all references of a file, dependencies first, each name once.
    fn resolve(&self, at: usize, out: &mut Vec<ResolvedReference>) {
        // References come before what refers to them: a walk down the indexes ends, and meets each once.
        let mut needed: Vec<Option<&str>> = vec![None; at + 1];
        for from in (0..=at).rev() {
            if from == at || needed[from].is_some() {
                for link in &self.files[from].links {
                    needed[link.target].get_or_insert(&link.name);
                }
            }
        }
        for (index, name) in needed.iter().enumerate().take(at) {
            if let Some(name) = name {
                let file = &self.files[index];
                out.push(ResolvedReference {
                    name: (*name).into(),
                    subject: file.name.as_str().into(),
                    version: 1,
                    text: file.text.as_str().into(),
                    references: self.references(index).into(),
                });
            }
        }
    }
}

/// The type that a file's ending names.
fn type_of(path: &Path) -> Option<SchemaType> {
    match path.extension()?.to_str()? {
        "proto" => Some(SchemaType::Protobuf),
        "avsc" => Some(SchemaType::Avro),
        "json" => Some(SchemaType::Json),
        _ => None,
    }
}

struct Reader<'a> {
    roots: &'a [PathBuf],
    files: Vec<SchemaFile>,
    /// By canonical path.
    known: HashMap<PathBuf, usize>,
    /// Avro files below the roots by the full name of their type; read when first needed.
    named: Option<HashMap<String, PathBuf>>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn problem(&mut self, file: &Path, line: usize, message: impl Into<String>) {
        self.problems.push(Problem { file: file.to_owned(), line, message: message.into() });
    }

    /// A path of the command line.
    fn take(&mut self, path: &Path) {
        if !path.is_dir() {
            if let Some(at) = self.load(path) {
                self.files[at].is_given = true;
            }
            return;
        }
        let found = below(path, |_| true);
        if found.is_empty() {
            self.problem(path, 1, "holds no .proto, .avsc or .json file");
        }
        for path in found {
            if let Some(at) = self.load(&path) {
                self.files[at].is_given = true;
            }
        }
    }

    /// Reads a file once; its index, or `None` with the reason noted.
    fn load(&mut self, path: &Path) -> Option<usize> {
        let identity = match path.canonicalize() {
            Ok(identity) => identity,
            Err(cause) => {
                self.problem(path, 1, cause.to_string());
                return None;
            }
        };
        if let Some(at) = self.known.get(&identity) {
            return Some(*at);
        }
        if self.files.len() >= MOST_FILES {
            self.problem(path, 1, format!("more than {MOST_FILES} files"));
            return None;
        }
        let Some(schema_type) = type_of(path) else {
            self.problem(path, 1, "ends in neither .proto, .avsc nor .json");
            return None;
        };
        let text = match read(path) {
            Ok(text) => text,
            Err(cause) => {
                self.problem(path, 1, cause);
                return None;
            }
        };
        let outline = match Outline::of(schema_type, &text) {
            Ok(outline) => outline,
            Err(cause) => {
                let cause = cause.to_string();
                self.problem(path, locate::in_message(&cause).unwrap_or(1), cause);
                return None;
            }
        };
        let at = self.files.len();
        self.known.insert(identity, at);
        self.files.push(SchemaFile {
            path: tidy(path),
            name: self.name_of(path),
            schema_type,
            text,
            outline,
            is_given: false,
            links: Vec::new(),
            referred_as: None,
        });
        Some(at)
    }

    /// The path from the root that holds it; as it is when none does.
    fn name_of(&self, path: &Path) -> String {
        let inside = self.roots.iter().filter_map(|root| tidy(path).strip_prefix(tidy(root)).ok().map(Path::to_owned));
        let shortest = inside.min_by_key(|inside| inside.components().count());
        slashed(&shortest.unwrap_or_else(|| tidy(path)))
    }

    /// Finds what the file refers to.
    fn follow(&mut self, at: usize) {
        for name in self.files[at].outline.refers_to.clone() {
            let path = self.files[at].path.clone();
            let Some(found) = self.find(at, &name) else {
                let line = locate::word(&self.files[at].text, &name);
                let roots: Vec<String> = self.roots.iter().map(|root| root.display().to_string()).collect();
                let places = format!("among the given files nor below {}", roots.join(", "));
                self.problem(&path, line, format!("{name} is neither {places}; name its directory with --root"));
                continue;
            };
            let Some(target) = self.load(&found) else { continue };
            // A type that refers to itself by its file is no reference.
            if target != at {
                self.files[target].referred_as.get_or_insert_with(|| name.clone());
                self.files[at].links.push(Link { name, target });
            }
        }
    }

    fn find(&mut self, from: usize, name: &str) -> Option<PathBuf> {
        let schema_type = self.files[from].schema_type;
        let known = self.files.iter().filter(|file| file.schema_type == schema_type);
        match schema_type {
            SchemaType::Avro => {
                let same = known.clone().find(|file| file.outline.record.as_deref() == Some(name));
                same.map(|file| file.path.clone()).or_else(|| self.named(name))
            }
            SchemaType::Protobuf => self.by_path(None, name),
            SchemaType::Json => {
                let same = known.clone().find(|file| file.outline.uri.as_deref() == Some(name));
                let same = same.map(|file| file.path.clone());
                same.or_else(|| self.by_path(self.files[from].path.parent(), name.trim_start_matches("file:")))
            }
        }
    }

    /// A path from `beside`, from a root, or the end of a path at hand.
    fn by_path(&self, beside: Option<&Path>, name: &str) -> Option<PathBuf> {
        let relative = Path::new(name);
        let places = beside.into_iter().chain(self.roots.iter().map(PathBuf::as_path));
        let found = places.map(|place| place.join(relative)).find(|path| path.is_file());
        found.or_else(|| {
            let mut ends = self.files.iter().filter(|file| tidy(&file.path).ends_with(tidy(relative)));
            let first = ends.next()?;
            // Two that end alike: which one is meant is not ours to guess.
            ends.next().is_none().then(|| first.path.clone())
        })
    }

    fn named(&mut self, name: &str) -> Option<PathBuf> {
        let roots = self.roots;
        let named = self.named.get_or_insert_with(|| {
            let files = roots.iter().flat_map(|root| below(root, |kind| kind == SchemaType::Avro));
            let outlined = files.filter_map(|path| {
                let outline = Outline::of(SchemaType::Avro, &read(&path).ok()?).ok()?;
                Some((outline.record?, path))
            });
            outlined.collect()
        });
        named.get(name).cloned()
    }
}

fn read(path: &Path) -> Result<String, String> {
    let size = std::fs::metadata(path).map_err(|cause| cause.to_string())?.len();
    if size > MOST_BYTES {
        return Err(format!("{size} bytes are no schema"));
    }
    std::fs::read_to_string(path).map_err(|cause| cause.to_string())
}

/// Every schema file of these types below a directory, sorted; what is hidden is left out.
fn below(directory: &Path, wanted: impl Fn(SchemaType) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    let mut seen = 0;
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).into_iter().flatten().flatten() {
            seen += 1;
            if seen > MOST_FILES {
                break;
            }
            let path = entry.path();
            let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
            // Links to directories are not followed: they may lead in circles.
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && !is_hidden => open.push(path),
                Ok(_) if path.is_file() && type_of(&path).is_some_and(&wanted) => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// Without `.`, and without `..` where a name stands before it.
fn tidy(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(tidied.components().next_back(), Some(Component::Normal(_))) => {
                tidied.pop();
            }
            part => tidied.push(part),
        }
    }
    tidied
}

fn slashed(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Indexes, references first, in the order given otherwise; or the first circle.
fn order(files: &[SchemaFile]) -> Result<Vec<usize>, Problem> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut states = vec![State::New; files.len()];
    let mut order = Vec::with_capacity(files.len());
    for start in 0..files.len() {
        // The way here, with the number of links already taken at each.
        let mut way: Vec<(usize, usize)> = Vec::new();
        if states[start] == State::New {
            states[start] = State::Open;
            way.push((start, 0));
        }
        while let Some((at, taken)) = way.last_mut() {
            let file = &files[*at];
            let Some(link) = file.links.get(*taken) else {
                states[*at] = State::Done;
                order.push(*at);
                way.pop();
                continue;
            };
            *taken += 1;
            match states[link.target] {
                State::Done => {}
                State::New => {
                    states[link.target] = State::Open;
                    way.push((link.target, 0));
                }
                State::Open => {
                    let names = way.iter().map(|(at, _)| *at).skip_while(|at| *at != link.target);
                    let circle: Vec<String> =
                        names.chain([link.target]).map(|at| files[at].path.display().to_string()).collect();
                    return Err(Problem {
                        file: file.path.clone(),
                        line: locate::word(&file.text, &link.name),
                        message: format!("files refer to each other in a circle: {}", circle.join(" → ")),
                    });
                }
            }
        }
    }
    Ok(order)
}

fn sorted(files: Vec<SchemaFile>, order: &[usize]) -> Vec<SchemaFile> {
    let mut place = vec![0; order.len()];
    for (new, old) in order.iter().enumerate() {
        place[*old] = new;
    }
    let mut files: Vec<(usize, SchemaFile)> = files.into_iter().enumerate().map(|(at, f)| (place[at], f)).collect();
    files.sort_by_key(|(place, _)| *place);
    let renumbered = files.into_iter().map(|(_, mut file)| {
        for link in &mut file.links {
            link.target = place[link.target];
        }
        file
    });
    renumbered.collect()
}

#[cfg(test)]
mod tests;
