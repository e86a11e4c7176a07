//! Routes and `api-spec/` agree, both ways; what is listed as not implemented is not routed.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

use std::collections::BTreeSet;
use std::path::PathBuf;

use saphyr::{LoadableYamlNode, Yaml};
use sluice_api::route::{RouteError, Router, Surface, all_routes};

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

fn spec_file(name: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../api-spec").join(name);
    std::fs::read_to_string(path).ok()
}

fn surfaces() -> [(Surface, &'static [&'static str]); 3] {
    [
        (Surface::Registry, &["schema-registry.yaml"]),
        (Surface::Rest, &["rest-v3.yaml", "rest-v2.yaml"]),
        (Surface::Management, &["control.yaml"]),
    ]
}

/// `GET /path operation` for every operation of a spec.
fn specified(text: &str) -> BTreeSet<String> {
    let documents = Yaml::load_from_str(text).unwrap();
    let paths = documents[0].as_mapping_get("paths").unwrap().as_mapping().unwrap();
    let mut found = BTreeSet::new();
    for (path, item) in paths {
        for method in METHODS {
            if let Some(operation) = item.as_mapping_get(method) {
                let id = operation.as_mapping_get("operationId").and_then(|id| id.as_str()).unwrap();
                found.insert(format!("{} {} {id}", method.to_uppercase(), path.as_str().unwrap()));
                assert!(operation.as_mapping_get("responses").is_some(), "{id} answers nothing");
            }
        }
    }
    found
}

#[test]
fn every_route_is_specified_and_every_operation_is_routed() {
    for (surface, files) in surfaces() {
        let specified: BTreeSet<String> =
            files.iter().filter_map(|name| spec_file(name)).flat_map(|text| specified(&text)).collect();
        let routed: BTreeSet<String> = all_routes()
            .filter(|route| route.surface == surface)
            .map(|route| format!("{} {} {}", route.verb.name(), route.path, route.operation))
            .collect();
        assert_eq!(specified, routed, "{surface:?}");
    }
}

#[test]
fn every_reference_inside_a_spec_leads_somewhere() {
    for name in surfaces().iter().flat_map(|(_, files)| *files) {
        let Some(text) = spec_file(name) else { continue };
        let documents = Yaml::load_from_str(&text).unwrap();
        for target in text.split("$ref: '#/").skip(1).map(|rest| rest.split('\'').next().unwrap()) {
            let mut at = &documents[0];
            for part in target.split('/') {
                at = at.as_mapping_get(part).unwrap_or_else(|| panic!("{name}: {target} is nowhere"));
            }
        }
    }
}

#[test]
fn what_is_not_implemented_is_not_routed() {
    let router = Router::new(&[Surface::Registry, Surface::Rest, Surface::Management]);
    let text = spec_file("not-implemented.txt").unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let mut count = 0;
    for line in lines {
        let (method, path) = line.split_once(' ').unwrap_or_else(|| panic!("{line}"));
        let path = path.replace(['{', '}'], "");
        let resolved = router.resolve(method, &path, None);
        assert!(
            matches!(resolved, Err(RouteError::NotFound | RouteError::MethodNotAllowed(_))),
            "{line} is routed: take it off the list"
        );
        count += 1;
    }
    assert!(count > 0);
}
