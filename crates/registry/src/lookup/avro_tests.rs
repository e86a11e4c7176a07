//! Avro schemas whose texts differ and that are found all the same.

use super::*;
use crate::fixture::*;

const WITH_PROPS: &str = r#"{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":"int"}],"p":1,"q":2,"aliases":["A","B"]}"#;
const REARRANGED: &str = r#"{"type":"record","name":"R","namespace":"n","fields":[{"name":"a","type":"int"}],"q":2,"p":1,"aliases":["B","A"]}"#;
const MONEY: &str = r#"{"type":"record","name":"Money","namespace":"n","fields":[{"name":"amount","type":"long"}]}"#;
const BILL: &str = r#"{"type":"record","name":"Bill","namespace":"n","fields":[{"name":"total","type":"n.Money"}]}"#;

/// The recordings of `core-normalize-param`: for Avro both ways of writing are one schema.
#[tokio::test]
async fn the_order_of_attributes_and_aliases_makes_no_other_schema() {
    let node = node();
    let first = node.register("s", avro(WITH_PROPS)).await.unwrap();
    let found = node.look_up("s", avro(REARRANGED)).await.unwrap();
    assert_eq!((found.id, found.version, found.deleted), (first.id, Version(1), Some(false)));
    let again = node.register("s", avro(REARRANGED)).await.unwrap();
    assert_eq!((again.id, again.version), (first.id, Version(1)));
    // Another subject stores its own text.
    assert_ne!(node.register("t", avro(REARRANGED)).await.unwrap().id, first.id);
}

#[tokio::test]
async fn documentation_and_the_contract_do_make_another_schema() {
    let node = node();
    node.register("s", avro(WITH_PROPS)).await.unwrap();
    let documented = REARRANGED.replace("\"q\":2", "\"doc\":\"d\",\"q\":2");
    assert!(matches!(node.look_up("s", avro(&documented)).await, Err(Error::SchemaNotFound(None))));
    let owned = SchemaRequest { metadata: Some(properties(&[("owner", "x")])), ..avro(REARRANGED) };
    assert!(matches!(node.look_up("s", owned).await, Err(Error::SchemaNotFound(None))));
}

/// The recording of `ref-avro-basic`, steps 20 to 22: serializers send the text with its references written out.
#[tokio::test]
async fn a_text_with_its_references_written_out_finds_the_one_that_refers() {
    let node = node();
    node.register("money", avro(MONEY)).await.unwrap();
    let refers = SchemaRequest { references: vec![reference("n.Money", "money", 1)], ..avro(BILL) };
    let stored = node.register("bill", refers).await.unwrap();
    let whole = BILL.replace("\"n.Money\"", &MONEY.replace(",\"namespace\":\"n\"", ""));
    let found = node.look_up("bill", avro(&whole)).await.unwrap();
    assert_eq!((found.id, found.deleted), (stored.id, Some(false)));
    assert_eq!(node.register("bill", avro(&whole)).await.unwrap().id, stored.id);
    assert_ne!(node.register("elsewhere", avro(&whole)).await.unwrap().id, stored.id);
}

/// The recordings of `bad-avro-2` and `config-validate-new`.
#[tokio::test]
async fn only_new_schemas_must_have_defaults_that_fit_and_only_where_the_config_wants_it() {
    let node = node();
    let misfit = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":"x"}]}"#;
    let Err(Error::InvalidSchema { outline: Some(outline), cause }) = node.register("s", avro(misfit)).await else {
        panic!()
    };
    assert_eq!(cause.to_string(), "Invalid default for field a: \"x\" not a \"int\"");
    let guid = crate::contract::guid(misfit, &[], None, None);
    assert_eq!(
        outline,
        format!(
            "of type AVRO, details: Invalid schema {{subject=s,version=null,id=null,guid={guid},schemaType=AVRO,\
             references=[],metadata=null,ruleSet=null,schema={misfit},schemaTags=null,ts=null,deleted=null}} \
             with refs [] of type AVRO"
        )
    );
    // A look-up does not mind: the schema might be stored.
    node.register("s", avro("\"int\"")).await.unwrap();
    assert!(matches!(node.look_up("s", avro(misfit)).await, Err(Error::SchemaNotFound(None))));

    let lenient = ConfigUpdate { validate_new_schemas: Some(Some(false)), ..ConfigUpdate::default() };
    node.put_config(Scope::Subject(name("t")), lenient).await.unwrap();
    node.register("t", avro(misfit)).await.unwrap();
}
