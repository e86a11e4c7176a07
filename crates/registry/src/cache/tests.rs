use super::*;
use crate::fixture::*;
use sluice_schema::Version;

fn content(at: usize, bytes: usize) -> Arc<Content> {
    Arc::new(Content {
        schema_type: SchemaType::Protobuf,
        text: format!("{at:0bytes$}").into(),
        references: [].into(),
        metadata: None,
        rule_set: None,
        guid: Guid([0; 16]),
    })
}

fn state(revision: i64) -> Arc<SubjectState> {
    let row = VersionRow { version: Version(1), id: SchemaId(1), guid: Guid([0; 16]), deleted: false, ts: 0 };
    Arc::new(SubjectState { revision: Revision(revision), versions: vec![row] })
}

#[test]
fn shares_are_the_whole_cap() {
    assert_eq!(SHARES.iter().map(|(_, share)| share).sum::<u64>(), 1000);
    let caches = Caches::new(1 << 20);
    for size in caches.sizes() {
        assert!(SHARES.iter().any(|(name, _)| *name == size.cache), "{}", size.cache);
    }
}

#[test]
fn all_caches_together_stay_under_the_cap() {
    const CAP: u64 = 1 << 20;
    let caches = Caches::new(CAP);
    let context = default_context();
    for at in 0..20_000 {
        let subject = name(&format!("subject-{at}"));
        let stamp = caches.stamp(&subject);
        let id = SchemaId(i32::try_from(at).unwrap());
        let entity = crate::register::entity_of(&subject, &state(1).versions[0], content(at, 200), Some(stamp));
        caches.keep_content(&context, id, &content(at, 200));
        caches.keep_subject(&subject, &state(1), stamp);
        caches.keep_answer_by_id(&context, id, &entity, Bytes::from(vec![0; 300]));
        caches.keep_answer_to_request(&subject, 7, stamp, Bytes::from(vec![0; 300]));
    }
    let sizes = caches.sizes();
    let total: u64 = sizes.iter().map(|size| size.bytes).sum();
    assert!(total <= CAP, "{sizes:?}");
    for size in sizes.iter().filter(|size| ["contents", "subjects", "answers_by_id"].contains(&size.cache)) {
        assert!(size.entries > 10, "{size:?}");
    }
}

#[test]
fn an_entry_heavier_than_its_share_is_not_kept() {
    let caches = Caches::new(100_000);
    caches.keep_content(&default_context(), SchemaId(1), &content(1, 50_000));
    assert_eq!(caches.sizes()[0].entries, 0);
}

#[test]
fn a_state_read_before_a_change_is_not_kept_after_it() {
    let caches = Caches::new(1 << 20);
    let subject = name("s");
    let before = caches.stamp(&subject);
    caches.forget_subject(&subject);
    caches.keep_subject(&subject, &state(1), before);
    assert!(caches.subject(&subject).is_none());
    caches.keep_subject(&subject, &state(2), caches.stamp(&subject));
    assert_eq!(caches.subject(&subject).unwrap().revision, Revision(2));
}

#[tokio::test]
async fn settings_read_before_a_change_are_not_kept_after_it() {
    let caches = Caches::new(1 << 20);
    let scope = Scope::Subject(name("s"));
    let slow = async {
        caches.forget_settings(&scope);
        Ok::<_, ()>(ScopeSettings::default())
    };
    caches.load_settings(&scope, slow).await.unwrap();
    assert!(caches.settings(&scope).is_none());
    caches.load_settings(&scope, async { Ok::<_, ()>(ScopeSettings::default()) }).await.unwrap();
    assert!(caches.settings(&scope).is_some());
}

#[test]
fn an_empty_subject_is_not_kept() {
    let caches = Caches::new(1 << 20);
    let subject = name("s");
    caches.keep_subject(&subject, &Arc::default(), caches.stamp(&subject));
    assert!(caches.subject(&subject).is_none());
}

#[test]
fn an_own_write_is_kept_unless_another_came_between() {
    let caches = Caches::new(1 << 20);
    let subject = |stamp| Subject { name: name("s"), state: state(1), stamp, fresh: true };
    let row = |version| VersionRow { version: Version(version), id: SchemaId(version), ..state(1).versions[0].clone() };
    let before = subject(caches.stamp(&name("s")));
    caches.wrote_version(&before, row(2), Revision(2));
    let kept = caches.subject(&name("s")).unwrap();
    assert_eq!((kept.revision, kept.versions.len()), (Revision(2), 2));

    let before = subject(caches.stamp(&name("s")));
    caches.forget_subject(&name("s"));
    caches.wrote_version(&before, row(2), Revision(2));
    assert!(caches.subject(&name("s")).is_none());
}

#[test]
fn an_own_write_that_may_have_removed_a_version_is_read_again() {
    let caches = Caches::new(1 << 20);
    let mut deleted = (*state(1)).clone();
    deleted.versions[0].deleted = true;
    let stamp = caches.stamp(&name("s"));
    let before = Subject { name: name("s"), state: Arc::new(deleted), stamp, fresh: true };
    let row = VersionRow { version: Version(2), ..state(1).versions[0].clone() };
    caches.wrote_version(&before, row, Revision(2));
    assert!(caches.subject(&name("s")).is_none());
}

/// The room for an entry is made when it comes, not some dozens of entries later.
#[test]
fn heavy_entries_never_go_over_the_cap() {
    const CAP: u64 = 1 << 20;
    let caches = Caches::new(CAP);
    let share = CAP / 1000 * 180;
    for at in 0..40 {
        caches.keep_content(&default_context(), SchemaId(at), &content(1, 60_000));
        let held = (0..=at).filter(|at| caches.content(&default_context(), SchemaId(*at)).is_some()).count() as u64;
        assert!(held * 60_000 <= share, "{held} entries after {at}");
    }
    assert!(caches.sizes()[0].entries > 0);
}

#[test]
fn an_answer_weighs_the_content_that_it_holds() {
    let caches = Caches::new(10 << 20);
    let stamp = caches.stamp(&name("s"));
    let entity = crate::register::entity_of(&name("s"), &state(1).versions[0], content(1, 60_000), Some(stamp));
    caches.keep_answer_by_id(&default_context(), SchemaId(1), &entity, Bytes::from(vec![0; 1_000]));
    let size = caches.sizes().into_iter().find(|size| size.cache == "answers_by_id").unwrap();
    assert!(size.bytes > 61_000, "{size:?}");
}

/// What a text stands for is small; the schema behind it is weighed where schemas are, and gone once pushed out there.
#[test]
fn a_text_does_not_keep_its_schema() {
    let caches = Caches::new(1 << 20);
    let parse =
        |text: &str| crate::candidate::ParsedSchema::parse(SchemaType::Protobuf, text, [].into(), [].into()).unwrap();
    let parsed = parse(&fields(&["a"]));
    let usable = UsableSchema { id: SchemaId(1), subject: None, schema: parsed.schema.clone() };
    let (subject, stamp) = (name("s"), caches.stamp(&name("s")));
    caches.keep_schema(&default_context(), SchemaId(1), &parsed, &[]);
    caches.keep_by_text(&subject, SchemaType::Protobuf, 7, &usable, stamp);
    assert!(
        caches
            .by_text(&subject, SchemaType::Protobuf, 7)
            .is_some_and(|(found, holds)| found.id == SchemaId(1) && holds)
    );
    drop((parsed, usable));
    for at in 2..3_000 {
        caches.keep_schema(&default_context(), SchemaId(at), &parse(&fields(&["a", "b", "c"])), &[]);
        caches.schema(&default_context(), SchemaId(at));
    }
    caches.sizes();
    let kept = caches.schema(&default_context(), SchemaId(1)).is_some();
    assert_eq!(caches.by_text(&subject, SchemaType::Protobuf, 7).is_some(), kept);
}

#[test]
fn a_schema_that_was_used_is_weighed_again() {
    let caches = Caches::new(64 << 20);
    let text = fields(&["a", "b", "c"]);
    let parsed = crate::candidate::ParsedSchema::parse(SchemaType::Protobuf, &text, [].into(), [].into()).unwrap();
    let weight = || caches.sizes().into_iter().find(|size| size.cache == "schemas").unwrap().bytes;
    caches.keep_schema(&default_context(), SchemaId(1), &parsed, &[]);
    let before = weight();
    let Schema::Protobuf(schema) = &*parsed.schema else { panic!("another format") };
    schema.codec().unwrap();
    assert_eq!(weight(), before);
    caches.schema(&default_context(), SchemaId(1));
    assert!(weight() > before + 500, "{before}, {}", weight());
}
