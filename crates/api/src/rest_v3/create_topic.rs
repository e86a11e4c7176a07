//! `POST /v3/clusters/{cluster_id}/topics`

use std::collections::HashSet;

use http::StatusCode;
use http::header::{HeaderValue, LOCATION};
use sluice_data_plane::cluster::NewTopic;

use super::RestError;
use super::links::Links;
use super::resource::topic_of;
use crate::answer::Answer;
use crate::call::Call;
use crate::decode::{self, Fields};
use crate::error::HttpError;
use crate::json::Json;

/// `POST …/topics` → 201 `KafkaTopic` and its Location; 200 with `validate_only`, and nothing is created.
pub(super) async fn create_topic(mut call: Call) -> Result<Answer, RestError> {
    let body = call.read_body().await?;
    let text = decode::body_text(&body)?;
    let Some(document) = decode::document(&text)? else {
        return Err(RestError::Payload("Request body is empty. Data is required."));
    };
    let new = read(document)?;
    let cluster = call.path("cluster_id");
    let created = call.data().create_topic(&call.caller, &cluster, &new).await?;
    let links = Links::of(&call);
    let shown = topic_of(&links, &cluster, &new.name, created.partitions, created.replication_factor);
    let status = if new.validate_only { StatusCode::OK } else { StatusCode::CREATED };
    let answer = Answer::json(&shown).status(status);
    Ok(match HeaderValue::from_str(&links.topic(&cluster, &new.name, "")) {
        Ok(location) => answer.header(LOCATION, location),
        Err(_) => answer,
    })
}

fn bad(text: impl Into<String>) -> HttpError {
    HttpError::BadBody(text.into())
}

fn read(document: Json<'_>) -> Result<NewTopic, HttpError> {
    let mut fields = Fields::of(document, "CreateTopicRequest")?;
    let name = fields.text("topic_name")?;
    let partitions = fields.int("partitions_count")?;
    let replication_factor = fields.int("replication_factor")?.map(short).transpose()?;
    // An empty one assigns nothing: the counts decide.
    let assignments = fields.take("replicas_assignments").map(assignments).transpose()?.filter(|map| !map.is_empty());
    let configs = match fields.take("configs") {
        None => Vec::new(),
        Some(Json::List(items)) => items.into_iter().enumerate().map(config).collect::<Result<Vec<_>, _>>()?,
        Some(other) => return decode::mismatch("ConfigEntry>", &other),
    };
    let validate_only = fields.flag("validate_only")?.unwrap_or(false);
    // A missing name weighs more than an unknown field.
    let name = name.ok_or_else(|| bad("Cannot construct instance of `CreateTopicRequest`, problem: Null topicName"))?;
    fields.refuse_unknown()?;
    let mut given = HashSet::with_capacity(configs.len());
    if let Some((twice, _)) = configs.iter().find(|(name, _)| !given.insert(name)) {
        return Err(bad(format!("Error due to duplicate config keys: {twice}")));
    }
    Ok(NewTopic { name, partitions, replication_factor, assignments, configs, validate_only })
}

fn short(number: i32) -> Result<i16, HttpError> {
    i16::try_from(number).map_err(|_| bad(format!("Numeric value ({number}) out of range of Java short")))
}

/// Name and value; without a value it is the broker's to refuse.
fn config((index, item): (usize, Json<'_>)) -> Result<(String, Option<String>), HttpError> {
    if item == Json::Null {
        return Err(bad(format!("Cannot construct instance of `CreateTopicRequest`, problem: at index {index}")));
    }
    let mut fields = Fields::of(item, "ConfigEntry")?;
    let name = fields.text("name")?;
    let value = fields.text("value")?;
    let name = name.ok_or_else(|| bad("Cannot construct instance of `ConfigEntry`, problem: Null name"))?;
    fields.refuse_unknown()?;
    Ok((name, value))
}

fn assignments(value: Json<'_>) -> Result<Vec<(i32, Vec<i32>)>, HttpError> {
    let fields = Fields::of(value, "Map<Integer, List<Integer>>")?;
    let mut assignments = Vec::new();
    for (partition, brokers) in fields.rest() {
        let number = partition.trim().parse::<i32>().map_err(|_| {
            bad(format!(
                "Cannot deserialize Map key of type `Integer` from String \"{partition}\": not a valid representation"
            ))
        })?;
        let Json::List(items) = brokers else { return decode::mismatch("Integer>", &brokers) };
        let brokers = items
            .into_iter()
            .map(|item| Ok(decode::int(item)?.unwrap_or_default()))
            .collect::<Result<_, HttpError>>()?;
        assignments.push((number, brokers));
    }
    assignments.sort_by_key(|(partition, _)| *partition);
    Ok(assignments)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Result<NewTopic, HttpError> {
        read(decode::document(text).unwrap().unwrap())
    }

    #[test]
    fn counts_are_read_as_the_reference_reads_them() {
        let topic = body(r#"{"topic_name": "t", "partitions_count": "3", "replication_factor": 1.9}"#).unwrap();
        assert_eq!((topic.partitions, topic.replication_factor), (Some(3), Some(1)));
        let assigned = |map: &str| body(&format!(r#"{{"topic_name": "t", "replicas_assignments": {map}}}"#)).unwrap();
        assert_eq!(assigned(r#"{"1": [2], "0": [1]}"#).assignments, Some(vec![(0, vec![1]), (1, vec![2])]));
        assert_eq!(assigned("{}").assignments, None);
        assert!(body(r#"{"topic_name": "t", "replication_factor": 40000}"#).is_err());
        assert!(body(r#"{"topic_name": "t", "partitions_count": true}"#).is_err());
    }

    #[test]
    fn a_missing_name_weighs_more_than_an_unknown_field() {
        let missing = body(r#"{"x": 1}"#).unwrap_err();
        assert_eq!(missing, bad("Cannot construct instance of `CreateTopicRequest`, problem: Null topicName"));
        let unknown = body(r#"{"topic_name": "t", "x": 1}"#).unwrap_err();
        assert_eq!(unknown, HttpError::Unprocessable("Unrecognized field: x".to_owned()));
    }

    #[test]
    fn a_config_that_stands_twice_is_the_clients_mistake() {
        let twice = r#"{"topic_name": "t", "configs": [{"name": "a", "value": "1"}, {"name": "a", "value": 2}]}"#;
        assert!(matches!(body(twice), Err(HttpError::BadBody(_))));
        let without_value = r#"{"topic_name": "t", "configs": [{"name": "a", "value": null}, {"name": "b"}]}"#;
        let none = |name: &str| (name.to_owned(), None::<String>);
        assert_eq!(body(without_value).unwrap().configs, [none("a"), none("b")], "the broker's to refuse");
    }

    #[test]
    fn a_body_full_of_configs_is_read_once_not_once_per_config() {
        let config = |n: usize| format!(r#"{{"name": "c{n}", "value": ""}}"#);
        let configs: Vec<String> = (0..100_000).map(config).collect();
        let text = format!(r#"{{"topic_name": "t", "configs": [{}]}}"#, configs.join(","));
        // Five thousand million comparisons would take minutes.
        assert_eq!(body(&text).unwrap().configs.len(), 100_000);
    }
}
