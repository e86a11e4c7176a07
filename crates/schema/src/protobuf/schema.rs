//! A protobuf schema: its file, its references, its texts.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use prost_types::FileDescriptorProto;

use super::codec::{self, Codec};
use super::model::ProtoFile;
use super::resolve::{Home, Names};
use super::{builtin, canonical, descriptor, logical, normalize, parse, tags, validate};
use crate::logical::{LogicalType, ddl};
use crate::schema::Absent;
use crate::weight::{self, Heap};
use crate::{Format, InvalidSchema, Reference, ResolvedReference, TagEdit, TaggedEntity, ValidateFields};

/// A parsed protobuf schema. The canonical text is made and the references are read on parsing; the codec is compiled
/// on first use, and kept.
#[derive(Debug)]
pub struct ProtobufSchema {
    file: ProtoFile,
    text: Arc<str>,
    record_name: Option<String>,
    references: Arc<[Reference]>,
    resolved: Arc<[ResolvedReference]>,
    referenced: OnceLock<Result<Vec<ReferencedFile>, InvalidSchema>>,
    codec: OnceLock<Result<Codec, InvalidSchema>>,
}

/// A parsed text that a schema refers to, directly or not.
#[derive(Debug)]
pub(crate) struct ReferencedFile {
    /// Where it came from; `source.name` is the import path.
    pub(crate) source: ResolvedReference,
    /// Its file.
    pub(crate) file: ProtoFile,
}

impl ProtobufSchema {
    /// Parses `.proto` source or the base64 of a `FileDescriptorProto`. Checks syntax only,
    /// that of the references too.
    ///
    /// [`InvalidSchema::Syntax`] reads `Could not parse Protobuf - …`; caps give [`InvalidSchema::TooComplex`].
    pub fn parse(
        text: &str,
        references: Arc<[Reference]>,
        resolved: Arc<[ResolvedReference]>,
    ) -> Result<ProtobufSchema, InvalidSchema> {
        let schema = ProtobufSchema::from_file(parse_file(text)?, references, resolved)?;
        schema.referenced_files()?;
        Ok(schema)
    }

    fn from_file(
        file: ProtoFile,
        references: Arc<[Reference]>,
        resolved: Arc<[ResolvedReference]>,
    ) -> Result<ProtobufSchema, InvalidSchema> {
        let text = canonical::print(&file);
        // What is stored must be readable again.
        parse::check_size(&text)?;
        Ok(ProtobufSchema::from_parts(file, text.into(), references, resolved))
    }

    fn from_parts(
        file: ProtoFile,
        text: Arc<str>,
        references: Arc<[Reference]>,
        resolved: Arc<[ResolvedReference]>,
    ) -> ProtobufSchema {
        ProtobufSchema {
            record_name: record_name(&file),
            file,
            text,
            references,
            resolved,
            referenced: OnceLock::new(),
            codec: OnceLock::new(),
        }
    }

    /// The file as parsed.
    pub fn file(&self) -> &ProtoFile {
        &self.file
    }

    /// The text as it is stored and hashed.
    pub fn canonical_text(&self) -> &Arc<str> {
        &self.text
    }

    /// The references as carried.
    pub fn references(&self) -> &Arc<[Reference]> {
        &self.references
    }

    /// The texts of the references, transitively.
    pub fn resolved_references(&self) -> &Arc<[ResolvedReference]> {
        &self.resolved
    }

    /// The parsed texts of all references, transitively, in the order given. Fails as their texts fail.
    pub(crate) fn referenced_files(&self) -> Result<&[ReferencedFile], InvalidSchema> {
        let parse =
            |source: &ResolvedReference| Ok(ReferencedFile { source: source.clone(), file: parse_file(&source.text)? });
        let files = self.referenced.get_or_init(|| self.resolved.iter().map(parse).collect());
        files.as_deref().map_err(Clone::clone)
    }

    /// Every name that the schema can use.
    pub(crate) fn names(&self) -> Result<Names<'_>, InvalidSchema> {
        let mut names = Names::default();
        names.add_file(&self.file);
        self.referenced_files()?.iter().for_each(|referenced| names.add_file(&referenced.file));
        Ok(names)
    }

    /// Descriptors for linking, dependencies first: the built-in files that are needed, the references, then the
    /// schema's own file under the name `root_name`. Names are resolved, and the dependencies are the files whose
    /// types are used, whatever the imports say: what resolves here links.
    pub fn linkable_files(&self, root_name: &str) -> Result<Vec<FileDescriptorProto>, InvalidSchema> {
        let referenced = self.referenced_files()?;
        let paths: Vec<&str> =
            referenced.iter().map(|referenced| &*referenced.source.name).chain([root_name]).collect();
        let files = referenced.iter().map(|referenced| &referenced.file).chain([&self.file]);
        let mut names = Names::default();
        referenced.iter().for_each(|referenced| names.add_file(&referenced.file));
        let mut built_in = HashSet::new();
        let mut linkable = Vec::new();
        for (at, file) in files.enumerate() {
            if at == referenced.len() {
                // References never see the types of the file that refers to them.
                names = Names::default();
                referenced.iter().for_each(|referenced| names.add_file(&referenced.file));
                names.prefer_file(&self.file);
            }
            let (mut descriptor, used) = descriptor::file_descriptor(file, paths[at], &names)?;
            let mut needed: Vec<String> = Vec::new();
            for home in used.iter().filter_map(|name| names.home(name)) {
                match home {
                    Home::Added(place) if place == at => {}
                    Home::Added(place) => needed.push(paths[place].to_owned()),
                    Home::BuiltIn(place) => {
                        built_in.insert(place);
                        needed.push(builtin::files()[place].0.to_owned());
                    }
                }
            }
            needed.sort_unstable();
            needed.dedup();
            descriptor.dependency = needed;
            linkable.push(descriptor);
        }
        let mut all = builtin::linkable(built_in)?;
        all.retain(|file| !paths.iter().any(|path| file.name.as_deref() == Some(*path)));
        all.append(&mut linkable);
        Ok(all)
    }

    /// The schema in normal form: options, fields and ranges sorted, names resolved, references sorted and distinct.
    /// Fails when a type does not resolve or the normal form does not parse again.
    pub fn normalize(&self) -> Result<ProtobufSchema, InvalidSchema> {
        let (file, text) = self.normal_form()?;
        parse::check_limits(&file)?;
        parse::check_size(&text)?;
        let references = Reference::sorted(&self.references).into();
        Ok(ProtobufSchema::from_parts(file, text.into(), references, self.resolved.clone()))
    }

    /// The normal form, read again from its text: the reference prints some things so that they do not parse.
    fn normal_form(&self) -> Result<(ProtoFile, String), InvalidSchema> {
        let text = canonical::print(&normalize::normalize(&self.file, &self.names()?)?);
        match parse::parse_normal_form(&text) {
            Ok(file) => Ok((file, text)),
            Err(InvalidSchema::Syntax(message)) => Err(unparsable(&message)),
            Err(other) => Err(other),
        }
    }

    /// Checks what a new schema must pass: that it has a normal form; with [`ValidateFields::Yes`] also that its
    /// descriptors can be built (numbers, names, defaults, imports).
    pub fn validate(&self, fields: ValidateFields) -> Result<(), InvalidSchema> {
        self.normal_form()?;
        match fields {
            ValidateFields::No => Ok(()),
            ValidateFields::Yes => validate::descriptors(self),
        }
    }

    /// The text in another format. Of a schema that validates, only [`Format::Logical`] may fail.
    pub fn render(&self, format: Format) -> Result<Arc<str>, InvalidSchema> {
        match format {
            Format::Canonical | Format::Resolved => Ok(self.text.clone()),
            Format::Logical => ddl::show(self.logical()),
            Format::IgnoreExtensions => Ok(canonical::print_without_extensions(&self.file).into()),
            Format::Serialized => {
                let is_known = |path: &str| {
                    builtin::is_builtin(path) || self.resolved.iter().any(|resolved| *resolved.name == *path)
                };
                let bytes = descriptor::serialized(&self.file, &self.names()?, is_known);
                Ok(base64_simd::STANDARD.encode_to_string(bytes).into())
            }
        }
    }

    /// The schema as a logical type; fails for types that have none.
    pub(crate) fn logical(&self) -> Result<LogicalType, InvalidSchema> {
        logical::logical(self)
    }

    /// The schema with tags added and removed in its `confluent.message_meta` and `confluent.field_meta` options.
    pub fn edit_tags(&self, edit: &TagEdit) -> Result<ProtobufSchema, InvalidSchema> {
        self.with_edit(edit, Absent::Refuse)
    }

    pub(crate) fn with_edit(&self, edit: &TagEdit, absent: Absent) -> Result<ProtobufSchema, InvalidSchema> {
        let mut file = self.file.clone();
        tags::edit(&mut file, edit, absent)?;
        parse::check_limits(&file)?;
        ProtobufSchema::from_file(file, self.references.clone(), self.resolved.clone())
    }

    /// Every tagged message and field, in document order; paths without the package.
    pub fn tagged_entities(&self) -> Vec<TaggedEntity> {
        tags::tagged_entities(&self.file)
    }

    /// Full name of the first message, else of the first enum.
    pub fn record_name(&self) -> Option<&str> {
        self.record_name.as_deref()
    }

    /// Names of the fields of every top-level message; members of oneofs are not counted among them.
    pub fn top_level_fields(&self) -> Vec<&str> {
        self.file.messages.iter().flat_map(|message| &message.fields).map(|field| field.name.as_str()).collect()
    }

    /// The compiled codec; built on first use and kept. Fails for a schema that does not link.
    pub fn codec(&self) -> Result<&Codec, InvalidSchema> {
        self.codec.get_or_init(|| codec::compile(self)).as_ref().map_err(Clone::clone)
    }

    /// Bytes held: text, references and files as they are; the codec, once it is there, by the files it is made from.
    pub fn weight_bytes(&self) -> usize {
        // Its tables of paths and names that even the smallest codec has.
        const CODEC_AT_LEAST: usize = 512;
        let referenced = self.referenced.get().and_then(|files| files.as_ref().ok());
        let referenced = referenced.map_or(0, |files| {
            files.iter().map(|file| size_of::<ReferencedFile>() + file.file.heap_bytes()).sum::<usize>()
        });
        let files = self.file.heap_bytes() + referenced;
        let codec = self.codec.get().map_or(0, |_| CODEC_AT_LEAST + files * 3 / 4);
        let parts = weight::of_parts(&self.text, &self.references, &self.resolved);
        size_of::<ProtobufSchema>() + parts + self.record_name.heap_bytes() + files + codec
    }

    /// How many of the parts that are made on first use are there.
    pub fn parts_made(&self) -> u8 {
        u8::from(self.referenced.get().is_some()) + u8::from(self.codec.get().is_some())
    }
}

/// The file of a text, or of the base64 descriptor that it may be.
fn parse_file(text: &str) -> Result<ProtoFile, InvalidSchema> {
    match parse::parse_text(text) {
        Err(InvalidSchema::Syntax(message)) => {
            let file = descriptor::parse_base64(text)?.ok_or_else(|| unparsable(&message))?;
            parse::check_limits(&file)?;
            Ok(file)
        }
        other => other,
    }
}

fn unparsable(message: &str) -> InvalidSchema {
    InvalidSchema::Syntax(format!("Could not parse Protobuf - {message}"))
}

fn record_name(file: &ProtoFile) -> Option<String> {
    let first = file.messages.first().map(|message| &message.name);
    let name = first.or_else(|| file.enums.first().map(|enum_| &enum_.name))?;
    Some(super::resolve::join(file.package.as_deref().unwrap_or_default(), name))
}
