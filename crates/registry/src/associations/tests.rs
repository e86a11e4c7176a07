//! What the use cases allow and refuse, each as a sentence.

use super::*;
use crate::fixture::*;
use crate::store::RegistryStore;

const RESOURCE: &str = "rid";

fn request(infos: Vec<AssociationInfo>) -> AssociationRequest {
    of_topic("orders", RESOURCE, infos)
}

fn of_topic(name: &str, id: &str, infos: Vec<AssociationInfo>) -> AssociationRequest {
    AssociationRequest {
        resource_name: Some(name.to_owned()),
        resource_namespace: Some("cluster".to_owned()),
        resource_id: Some(id.to_owned()),
        resource_type: None,
        associations: infos,
    }
}

fn weak(subject: &str) -> AssociationInfo {
    AssociationInfo {
        subject: Some(subject.to_owned()),
        lifecycle: Some(Lifecycle::Weak),
        ..AssociationInfo::default()
    }
}

fn strong(text: &str) -> AssociationInfo {
    AssociationInfo { schema: Some(proto(text)), ..AssociationInfo::default() }
}

fn of_key(info: AssociationInfo) -> AssociationInfo {
    AssociationInfo { association_type: Some("key".to_owned()), ..info }
}

/// The subject of a strong association of the values of `orders`.
const OWN: &str = ":.cluster:orders-value";

impl Node {
    async fn put(&self, put: Put, request: AssociationRequest) -> Result<AssociationAnswer, Error> {
        self.registry.put_associations(&self.caller, &default_context(), request, put, false).await
    }

    async fn create(&self, infos: Vec<AssociationInfo>) -> Result<AssociationAnswer, Error> {
        self.put(Put::Create, request(infos)).await
    }

    async fn upsert(&self, infos: Vec<AssociationInfo>) -> Result<AssociationAnswer, Error> {
        self.put(Put::Upsert, request(infos)).await
    }

    /// Subject and type of what the resource has.
    async fn of_rid(&self) -> Vec<(String, AssociationType)> {
        let of = AssociationsOf::ResourceId(RESOURCE.to_owned());
        let filter = AssociationFilter::default();
        let found = self.registry.associations(&self.caller, &of, &filter, ALL).await.unwrap();
        found.iter().map(|known| (known.subject.qualified(), known.association_type)).collect()
    }

    async fn dissociate(&self, cascade: Cascade) -> Result<(), Error> {
        let filter = AssociationFilter::default();
        self.registry.delete_associations(&self.caller, RESOURCE, &filter, cascade, false).await
    }

    async fn versions_of(&self, subject: &str) -> usize {
        self.store.subject(&name(subject)).await.unwrap().versions.len()
    }
}

fn detail_of(result: Result<AssociationAnswer, Error>) -> String {
    match result {
        Err(Error::InvalidAssociation { property, detail }) => format!("{property}: {detail}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_weak_association_needs_a_subject_with_a_live_version() {
    let node = node();
    assert!(matches!(node.create(vec![weak("s")]).await, Err(Error::NoActiveVersion(s)) if s == name("s")));
    node.given("s", &fields(&["a"])).await;
    let answer = node.create(vec![weak("s")]).await.unwrap();
    assert_eq!((answer.associations.len(), answer.associations[0].lifecycle), (1, Lifecycle::Weak));
    assert_eq!(node.of_rid().await, [("s".to_owned(), AssociationType::Value)]);
    assert!(node.create(vec![weak("s")]).await.unwrap().associations.is_empty(), "the same again is no change");
    node.given("t", &fields(&["a"])).await;
    let other = node.create(vec![weak("t")]).await;
    assert!(matches!(other, Err(Error::AssociationForResource { resource, .. }) if resource == "orders"));
    assert_eq!(
        detail_of(node.upsert(vec![weak("t")]).await),
        "subject: subject of association cannot be changed from 's' to 't'"
    );
}

#[tokio::test]
async fn a_schema_makes_a_strong_association_on_the_resource_s_own_subject() {
    let node = node();
    let answer = node.create(vec![strong(&fields(&["a"]))]).await.unwrap();
    let made = &answer.associations[0];
    assert_eq!((made.subject.qualified().as_str(), made.lifecycle), (OWN, Lifecycle::Strong));
    assert_eq!(made.schema.as_ref().map(|schema| schema.version.0), Some(1));
    assert!(node.create(vec![strong(&fields(&["a"]))]).await.unwrap().associations.is_empty());
    let new = node.create(vec![strong(&fields(&["a", "b"]))]).await;
    assert!(matches!(new, Err(Error::AssociationForResource { .. })), "{new:?}");
    assert_eq!(node.versions_of(OWN).await, 1);
    assert!(node.upsert(vec![strong(&fields(&["a", "b"]))]).await.unwrap().associations.is_empty());
    assert_eq!(node.versions_of(OWN).await, 2);
    let broken = node.upsert(vec![strong(&breaking())]).await;
    assert!(matches!(broken, Err(Error::Incompatible { .. })), "{broken:?}");
}

#[tokio::test]
async fn strong_associations_are_made_by_creations_with_a_schema_only() {
    let node = node();
    node.given(OWN, &fields(&["a"])).await;
    let bare = AssociationInfo { lifecycle: Some(Lifecycle::Strong), ..AssociationInfo::default() };
    assert_eq!(
        detail_of(node.create(vec![bare.clone()]).await),
        "schema: schema must be provided when creating a frozen association"
    );
    assert!(detail_of(node.upsert(vec![strong(&fields(&["a"]))]).await).starts_with("lifecycle: "));
    node.registry.update_mode(&node.caller, &Scope::Subject(name(OWN)), Some(Mode::Import), true).await.unwrap();
    assert_eq!(node.upsert(vec![bare]).await.unwrap().associations.len(), 1, "an import may");
}

#[tokio::test]
async fn a_strong_association_shares_its_subject_with_nobody() {
    let node = node();
    node.create(vec![strong(&fields(&["a"]))]).await.unwrap();
    let shared = node.put(Put::Create, of_topic("other", "other-id", vec![weak(OWN)])).await;
    assert!(matches!(shared, Err(Error::StrongAssociationForSubject(s)) if s == name(OWN)));
    let refers = SchemaRequest { references: vec![reference("dep.proto", OWN, 1)], ..proto(&using_m("R")) };
    let refused = node.register("referrer", refers).await;
    assert!(matches!(refused, Err(Error::OperationNotPermitted(text))
        if text == "Subject ':.cluster:orders-value' has a strong association and cannot be referenced"));

    let other = ":.cluster:parts-value";
    node.given(other, &fields(&["a"])).await;
    node.put(Put::Create, of_topic("third", "third-id", vec![weak(other)])).await.unwrap();
    let late = node.put(Put::Create, of_topic("parts", "parts-id", vec![strong(&fields(&["a"]))])).await;
    assert!(matches!(late, Err(Error::AssociationForSubject(s)) if s == name(other)));
}

#[tokio::test]
async fn a_subject_that_others_refer_to_cannot_become_strong() {
    let node = node();
    node.given(OWN, &fields(&["a"])).await;
    node.given_referrer("referrer", &using_m("R"), reference("dep.proto", OWN, 1)).await;
    let refused = node.create(vec![strong(&fields(&["a"]))]).await;
    assert!(matches!(refused, Err(Error::ReferenceExists { subject, .. }) if subject == name(OWN)));
    assert_eq!(node.of_rid().await, []);
}

#[tokio::test]
async fn all_associations_of_a_resource_share_one_life_cycle() {
    let node = node();
    node.given("s", &fields(&["a"])).await;
    node.create(vec![of_key(weak("s"))]).await.unwrap();
    let mixed = node.create(vec![strong(&fields(&["a"]))]).await;
    assert!(detail_of(mixed).starts_with("frozen: all associations for a resource must be consistently"));
    assert_eq!(node.versions_of(OWN).await, 0, "nothing was registered");
}

#[tokio::test]
async fn of_two_schemas_neither_is_registered_when_one_is_refused() {
    let node = node();
    node.given(OWN, &fields(&["a"])).await;
    let both = vec![of_key(strong(&fields(&["k"]))), strong(&breaking())];
    let refused = node.create(both).await;
    assert!(matches!(refused, Err(Error::Incompatible { .. })), "{refused:?}");
    assert_eq!(node.versions_of(":.cluster:orders-key").await, 0);
    assert_eq!(node.of_rid().await, []);
}

#[tokio::test]
async fn an_associated_subject_stays_and_keeps_a_live_version() {
    let node = node();
    node.given("s", &fields(&["a"])).await;
    node.given("s", &fields(&["a", "b"])).await;
    node.create(vec![weak("s")]).await.unwrap();
    let (registry, caller, s) = (&node.registry, &node.caller, name("s"));
    let whole = registry.delete_subject(caller, &s, Permanence::Soft).await;
    assert!(matches!(whole, Err(Error::AssociationForSubject(_))), "{whole:?}");
    registry.delete_version(caller, &s, VersionSpec::Number(1), Permanence::Soft).await.unwrap();
    registry.delete_version(caller, &s, VersionSpec::Number(1), Permanence::Permanent).await.unwrap();
    let last = registry.delete_version(caller, &s, VersionSpec::Number(2), Permanence::Soft).await;
    assert!(matches!(last, Err(Error::NoActiveVersion(_))), "{last:?}");
    node.dissociate(Cascade::No).await.unwrap();
    registry.delete_subject(caller, &s, Permanence::Soft).await.unwrap();
}

#[tokio::test]
async fn a_strong_association_goes_only_with_its_subject_and_a_weak_one_leaves_it() {
    let node = node();
    assert!(matches!(node.dissociate(Cascade::Yes).await, Err(Error::AssociationNotFound(id)) if id == RESOURCE));
    node.create(vec![strong(&fields(&["a"]))]).await.unwrap();
    let kept = node.dissociate(Cascade::No).await;
    assert!(matches!(kept, Err(Error::AssociationFrozen { association_type: AssociationType::Value, .. })));
    let filter = AssociationFilter::default();
    node.registry.delete_associations(&node.caller, RESOURCE, &filter, Cascade::Yes, true).await.unwrap();
    assert_eq!(node.versions_of(OWN).await, 1, "a dry run deletes nothing");
    node.dissociate(Cascade::Yes).await.unwrap();
    assert_eq!((node.versions_of(OWN).await, node.of_rid().await.len()), (0, 0));

    node.given("s", &fields(&["a"])).await;
    node.create(vec![weak("s")]).await.unwrap();
    node.dissociate(Cascade::Yes).await.unwrap();
    assert_eq!(node.versions_of("s").await, 1);
}

#[tokio::test]
async fn a_dry_run_finds_what_would_be_refused_and_writes_nothing() {
    let node = node();
    let dry = |infos| {
        let request = AssociationRequest { resource_id: None, ..request(infos) };
        node.registry.put_associations(&node.caller, &DEFAULT, request, Put::Create, true)
    };
    assert!(dry(vec![strong(&fields(&["a"]))]).await.unwrap().associations.is_empty());
    assert_eq!(node.versions_of(OWN).await, 0);
    assert!(matches!(dry(vec![weak("none")]).await, Err(Error::NoActiveVersion(_))));
    node.given(OWN, &fields(&["a"])).await;
    assert!(matches!(dry(vec![strong(&breaking())]).await, Err(Error::Incompatible { .. })));
}

static DEFAULT: std::sync::LazyLock<ContextName> = std::sync::LazyLock::new(ContextName::default_context);

#[tokio::test]
async fn a_read_only_subject_keeps_its_associations_as_they_are() {
    let node = node();
    node.given("s", &fields(&["a"])).await;
    node.given("t", &fields(&["a"])).await;
    node.create(vec![weak("s")]).await.unwrap();
    node.registry
        .update_mode(&node.caller, &Scope::Context(default_context()), Some(Mode::ReadOnly), false)
        .await
        .unwrap();
    for refused in [node.create(vec![of_key(weak("t"))]).await.map(|_| ()), node.dissociate(Cascade::No).await] {
        assert!(matches!(&refused, Err(Error::OperationNotPermitted(text)) if text.ends_with("is in read-only mode")));
    }
}

#[tokio::test]
async fn a_resource_that_came_back_under_another_id_has_its_associations_still() {
    let node = node();
    node.given("s", &fields(&["a"])).await;
    node.create(vec![weak("s")]).await.unwrap();
    let again = node.put(Put::Create, of_topic("orders", "new-id", vec![weak("s")])).await;
    assert!(matches!(again, Err(Error::AssociationForResource { .. })), "{again:?}");
}

#[tokio::test]
async fn neighbours_of_one_kind_are_one_request_of_a_batch_and_a_failure_ends_it() {
    let node = node();
    for subject in ["s", "t"] {
        node.given(subject, &fields(&["a"])).await;
    }
    let change = |ops| {
        let request = AssociationOpRequest { resource: request(Vec::new()), ops };
        node.registry.change_associations(&node.caller, &DEFAULT, request, false)
    };
    let put = |info| AssociationOp::Put(Put::Create, Box::new(info));
    let delete = || AssociationOp::Delete { association_type: None, cascade: Cascade::No };
    let answer = change(vec![put(weak("s")), put(of_key(weak("t")))]).await.unwrap();
    let types: Vec<_> = answer.associations.iter().map(|known| known.association_type).collect();
    assert_eq!(types, [AssociationType::Key, AssociationType::Value]);
    let twice = change(vec![put(weak("s")), put(weak("s"))]).await;
    assert!(detail_of(twice).contains("'value' appears more than once"));
    let failed = change(vec![delete(), put(weak("none")), delete()]).await;
    assert!(matches!(failed, Err(Error::NoActiveVersion(_))), "{failed:?}");
    assert_eq!(node.of_rid().await, [("t".to_owned(), AssociationType::Key)], "what came before stays done");
    assert!(change(vec![delete()]).await.is_ok(), "there is nothing left to delete");
}

#[tokio::test]
async fn guids_are_random_uuids_of_version_4() {
    let (one, other) = (random_guid(), random_guid());
    assert_ne!(one, other);
    assert_eq!((one.0[6] >> 4, one.0[8] >> 6), (4, 2));
}
