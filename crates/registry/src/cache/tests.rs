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
