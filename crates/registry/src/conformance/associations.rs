//! Cases of [`RegistryStore::associations`] and [`RegistryStore::write_associations`].

use std::sync::atomic::{AtomicU64, Ordering};

use sluice_schema::Guid;

use super::*;
use crate::{AssociatedResource, Association, AssociationType, Lifecycle, Scope};

/// An association like no other.
fn association(
    subject: &SubjectName,
    resource: &str,
    association_type: AssociationType,
    lifecycle: Lifecycle,
) -> Association {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let context = subject.context().as_str();
    let mut guid = [0; 16];
    guid[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    // Cases of several processes may share a database.
    guid[8..12].copy_from_slice(&std::process::id().to_be_bytes());
    Association {
        subject: subject.clone(),
        guid: Guid(guid),
        resource: AssociatedResource {
            name: resource.into(),
            namespace: format!("namespace {context}").into(),
            resource_type: "topic".into(),
            id: format!("id {context} {resource}").into(),
        },
        association_type,
        lifecycle,
        create_ts: 1_700_000_000_000,
        update_ts: 1_700_000_000_000,
    }
}

fn weak(subject: &SubjectName, resource: &str) -> Association {
    association(subject, resource, AssociationType::Value, Lifecycle::Weak)
}

fn strong(subject: &SubjectName, resource: &str) -> Association {
    association(subject, resource, AssociationType::Value, Lifecycle::Strong)
}

/// What adds these, decided on the store's state as it is.
async fn adding(store: &dyn RegistryStore, add: &[Association]) -> AssociationWrite {
    let resource = add[0].resource.clone();
    let had = store.associations(&AssociationsOf::ResourceId(resource.id.to_string())).await.expect("associations");
    let mut subjects = Vec::new();
    for Association { subject, .. } in add {
        subjects.push((subject.clone(), store.subject_revision(subject).await.expect("revision")));
    }
    AssociationWrite {
        resource_type: resource.resource_type,
        resource_id: resource.id,
        had: had.iter().map(|known| known.guid).collect(),
        add: add.to_vec(),
        subjects,
        ..AssociationWrite::default()
    }
}

async fn given_association(store: &dyn RegistryStore, new: &Association) {
    let write = adding(store, std::slice::from_ref(new)).await;
    store.write_associations(write).await.expect("write");
}

async fn of_subject(store: &dyn RegistryStore, subject: &SubjectName) -> Vec<Association> {
    store.associations(&AssociationsOf::Subject(subject.clone())).await.expect("associations")
}

/// By subject, by the resource's id, by its name in one namespace or any, and by the subjects' prefix.
pub async fn associations_come_back_as_they_were_written_whoever_is_asked_about(store: &dyn RegistryStore) {
    let context = context("associations");
    let orders = subject(&context, "orders");
    given_text(store, &orders, 1, "one").await;
    let written = weak(&orders, "topic-of-associations");
    given_association(store, &written).await;
    let resource = &written.resource;
    let by_name = |namespace: Option<&str>| AssociationsOf::Resource {
        namespace: namespace.map(str::to_owned),
        name: Some(resource.name.to_string()),
    };
    for of in [
        AssociationsOf::Subject(orders.clone()),
        AssociationsOf::ResourceId(resource.id.to_string()),
        by_name(Some(&resource.namespace)),
        by_name(None),
        AssociationsOf::Resource { namespace: Some(resource.namespace.to_string()), name: None },
        AssociationsOf::Subjects(Contexts::One(context.clone()), "ord".into()),
    ] {
        let found = store.associations(&of).await.expect("associations");
        assert_eq!(found, std::slice::from_ref(&written), "{of:?}");
    }
    for of in [
        AssociationsOf::Subject(subject(&context, "other")),
        AssociationsOf::ResourceId("id of nothing".into()),
        AssociationsOf::ResourceId("nul \0".into()),
        by_name(Some("elsewhere")),
        AssociationsOf::Subjects(Contexts::One(context.clone()), "x".into()),
    ] {
        assert_eq!(store.associations(&of).await.expect("associations"), [], "{of:?}");
    }
}

/// By resource, keys first.
pub async fn associations_are_listed_by_resource_and_type(store: &dyn RegistryStore) {
    let orders = subject(&context("associations-order"), "orders");
    given_text(store, &orders, 1, "one").await;
    given_association(store, &weak(&orders, "b")).await;
    given_association(store, &association(&orders, "b", AssociationType::Key, Lifecycle::Weak)).await;
    given_association(store, &weak(&orders, "a")).await;
    let found = of_subject(store, &orders).await;
    let found: Vec<_> = found.iter().map(|known| (&*known.resource.name, known.association_type.wire())).collect();
    assert_eq!(found, [("a", "value"), ("b", "key"), ("b", "value")]);
}

/// So that whoever decided on the subject without it decides again.
pub async fn an_association_raises_the_revision_of_its_subject_when_it_comes_and_goes(store: &dyn RegistryStore) {
    let orders = subject(&context("associations-revision"), "orders");
    given_text(store, &orders, 1, "one").await;
    let written = weak(&orders, "topic");
    given_association(store, &written).await;
    let raised = store.subject_revision(&orders).await.expect("revision");
    assert_eq!(raised, Revision(2));
    let before = Delete::Soft(vec![Version(1)]);
    let stale = store.delete_versions(&orders, before, at(Revision(1))).await;
    assert!(matches!(stale, Err(StoreError::Conflict)), "{stale:?}");
    let remove = AssociationWrite {
        resource_type: written.resource.resource_type.clone(),
        resource_id: written.resource.id.clone(),
        had: vec![written.guid],
        remove: vec![written.guid],
        subjects: vec![(orders.clone(), raised)],
        ..AssociationWrite::default()
    };
    store.write_associations(remove).await.expect("remove");
    assert_eq!(of_subject(store, &orders).await, []);
    assert_eq!(store.subject_revision(&orders).await.expect("revision"), Revision(3));
    assert_eq!(versions(store, &orders).await, [(1, false)]);
}

/// A subject's or a scope's revision, or the resource's associations, that are not what the decision was taken on.
pub async fn associations_written_on_stale_grounds_are_a_conflict(store: &dyn RegistryStore) {
    let orders = subject(&context("associations-stale"), "orders");
    given_text(store, &orders, 1, "one").await;
    let new = [weak(&orders, "topic")];
    let fresh = adding(store, &new).await;
    let of_no_version = vec![(subject(orders.context(), "never written"), Revision(0))];
    for stale in [
        AssociationWrite { subjects: vec![(orders.clone(), Revision(7))], ..fresh.clone() },
        AssociationWrite { subjects: of_no_version, ..fresh.clone() },
        AssociationWrite { settings: vec![(Scope::Subject(orders.clone()), Revision(3))], ..fresh.clone() },
        AssociationWrite { had: vec![Guid([7; 16])], ..fresh.clone() },
    ] {
        let got = store.write_associations(stale).await;
        assert!(matches!(got, Err(StoreError::Conflict)), "{got:?}");
    }
    assert_eq!(of_subject(store, &orders).await, []);
    store.write_associations(fresh.clone()).await.expect("write");
    let again = store.write_associations(fresh).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
}

/// A name that came back under another id.
pub async fn one_name_has_one_association_of_a_type(store: &dyn RegistryStore) {
    let orders = subject(&context("associations-name"), "orders");
    given_text(store, &orders, 1, "one").await;
    given_association(store, &weak(&orders, "topic")).await;
    let mut twin = weak(&orders, "topic");
    twin.resource.id = "another id".into();
    let write = adding(store, &[twin]).await;
    let got = store.write_associations(write).await;
    assert!(matches!(got, Err(StoreError::Conflict)), "{got:?}");
    assert_eq!(of_subject(store, &orders).await.len(), 1);
}

/// Neither may come after the other.
pub async fn a_subject_is_either_referred_to_or_strongly_associated(store: &dyn RegistryStore) {
    let context = context("associations-strong");
    let (owned, referred) = (subject(&context, "owned"), subject(&context, "referred"));
    given_text(store, &owned, 1, "owned").await;
    given_text(store, &referred, 1, "referred").await;
    given_association(store, &strong(&owned, "topic")).await;
    given_referrer(store, &subject(&context, "main"), 1, (&referred, 1)).await;

    let write = adding(store, &[strong(&referred, "other topic")]).await;
    let got = store.write_associations(write).await;
    assert!(matches!(got, Err(StoreError::Conflict)), "{got:?}");
    let mut new = new_version(&subject(&context, "late"), 1, &content("late"));
    new.references = vec![(owned.clone(), Version(1))];
    for live in [RequireLive::Yes, RequireLive::No] {
        let on = Preconditions { references: vec![(owned.clone(), Version(1), live)], ..at(Revision(0)) };
        let got = store.commit_version(new.clone(), on).await;
        assert!(matches!(got, Err(StoreError::Conflict)), "{got:?}");
    }
    given_association(store, &weak(&referred, "other topic")).await;
}

/// With every version, live ones too, and its settings; not when another subject refers to it.
pub async fn a_strong_association_takes_its_subject_along(store: &dyn RegistryStore) {
    let context = context("associations-cascade");
    let (owned, referred) = (subject(&context, "owned"), subject(&context, "referred"));
    for name in [&owned, &referred] {
        given_text(store, name, 1, "one").await;
        given_text(store, name, 2, &format!("two of {name}")).await;
    }
    let scope = Scope::Subject(owned.clone());
    let write = SettingsWrite { mode: Some(Some(crate::Mode::ReadWrite)), ..SettingsWrite::default() };
    let revision = store.subject_revision(&owned).await.expect("revision");
    store.write_settings(&scope, write, at(revision)).await.expect("settings");
    let (one, other) = (strong(&owned, "topic"), weak(&referred, "other topic"));
    given_association(store, &one).await;
    given_association(store, &other).await;
    given_referrer(store, &subject(&context, "main"), 1, (&referred, 1)).await;
    for (known, subject, outcome) in [(&one, &owned, true), (&other, &referred, false)] {
        let write = AssociationWrite {
            resource_type: known.resource.resource_type.clone(),
            resource_id: known.resource.id.clone(),
            had: vec![known.guid],
            remove: vec![known.guid],
            subjects: vec![(subject.clone(), store.subject_revision(subject).await.expect("revision"))],
            cascade: vec![subject.clone()],
            ..AssociationWrite::default()
        };
        let got = store.write_associations(write).await;
        assert_eq!(got.is_ok(), outcome, "{got:?}");
        assert_eq!(of_subject(store, subject).await.is_empty(), outcome, "all or nothing");
        assert_eq!(versions(store, subject).await.is_empty(), outcome, "all or nothing");
    }
    assert_eq!(store.settings(&scope).await.expect("settings").mode, None);
}
