use std::collections::BTreeSet;

use super::path::MAX_SEGMENTS;
use super::*;

fn registry() -> Router {
    Router::new(&[Surface::Registry])
}

/// Operation, parameters and context of a request that finds a route; the status of one that does not.
fn said(method: &str, path: &str) -> String {
    match registry().resolve(method, path, None) {
        Ok(Resolved { route, params, .. }) => {
            let names = route.path.split('/').filter_map(parameter);
            let values: Vec<_> = names.filter_map(|name| params.get(route, path, name)).collect();
            let context = params.context(path).map_or(String::new(), |context| format!(" in {context}"));
            format!("{} [{}]{context}", route.operation, values.join(", "))
        }
        Err(RouteError::MalformedPath(_) | RouteError::BadPath(_) | RouteError::ContextHoldsColon(_)) => {
            "400".to_owned()
        }
        Err(RouteError::NotFound) => "404".to_owned(),
        Err(RouteError::MethodNotAllowed(allow)) => format!("405 {allow}"),
        Err(RouteError::Options(allow)) => format!("200 {allow}"),
    }
}

#[test]
fn every_route_is_found_under_its_own_path_with_and_without_a_trailing_slash() {
    for surface in [Surface::Registry, Surface::Rest, Surface::Management] {
        let router = Router::new(&[surface]);
        for route in all_routes().filter(|route| route.surface == surface) {
            let path = route.path.replace(['{', '}'], "");
            for path in [path.clone(), format!("{}/", path.trim_end_matches('/'))] {
                let found = router.resolve(route.verb.name(), &path, None).unwrap();
                assert_eq!(found.route.operation, route.operation, "{path}");
                assert!(std::ptr::eq(all_routes().nth(found.number).unwrap(), found.route));
            }
        }
    }
}

#[test]
fn no_two_routes_of_a_surface_share_verb_and_path_and_no_operation_is_named_twice() {
    let mut seen = BTreeSet::new();
    for route in all_routes() {
        assert!(seen.insert(format!("{:?} {} {}", route.surface, route.verb.name(), route.path)), "{}", route.path);
        assert!(seen.insert(format!("{:?} {}", route.surface, route.operation)), "{}", route.operation);
        assert!(route.path.split('/').filter_map(parameter).count() <= MAX_PARAMS);
        assert!(route.path.split('/').count() <= MAX_SEGMENTS);
    }
}

#[test]
fn permissions_find_the_names_they_are_about() {
    for route in all_routes() {
        let has = |name: &str| route.path.contains(name);
        let fits = match route.permission.on {
            On::Subject => has("{subject}") || has("/config") || has("/mode"),
            On::Context => has("{context}"),
            On::Topic => has("{cluster_id}") && has("{topic_name}") || route.surface == Surface::Rest,
            On::Cluster => has("{cluster_id}") || route.surface == Surface::Rest,
            On::Schema | On::Server | On::Open => true,
        };
        assert!(fits, "{}", route.path);
    }
}

#[test]
fn paths_are_read_as_they_were_sent() {
    for (path, expected) in [
        ("/subjects/a%2Fb/versions", "list_versions [a/b]"),
        ("/subjects/a%252Fb/versions", "list_versions [a%2Fb]"),
        ("/subjects/%68ttp%20x/versions", "list_versions [http x]"),
        ("/subjects/a;x=1/versions;y=2", "list_versions [a]"),
        ("/subjects;x=y", "list_subjects []"),
        ("/subjects/a/versions/latest/schema/", "get_schema_text [a, latest]"),
        ("/subjects/../versions", "list_versions [..]"),
        ("/%73ubjects", "404"),
        ("/subjects/a/%76ersions", "404"),
        ("/subjects/a/versions%20", "404"),
        ("/Subjects", "404"),
        ("/subjects/a/b/versions", "404"),
        ("/subjects/a%2Fversions", "405 DELETE,POST,OPTIONS"),
        ("/./subjects", "404"),
        ("/subjects/x/../a/versions", "404"),
        ("*", "404"),
        ("", "404"),
    ] {
        assert_eq!(said("GET", path), expected, "{path}");
    }
}

#[test]
fn what_could_mean_two_things_is_refused() {
    for path in [
        "//subjects",
        "/subjects//versions",
        "/subjects/a/versions//",
        "/subjects/a%00b/versions",
        "/subjects/%0A",
        "/subjects/a%7Fb",
        "/subjects/a%5Cb",
        "/subjects/a\\b",
        "/subjects/%FF/versions",
        "/subjects/%zz",
        "/subjects/%",
        "/subjects/%4",
        "/%2e%2e/subjects",
        "/subjects/%2E",
        "/../subjects",
        "/subjects/a;%0a",
    ] {
        assert_eq!(said("GET", path), "400", "{path}");
    }
}

#[test]
fn a_context_prefix_is_data_and_the_rest_of_the_path_decides() {
    for (path, expected) in [
        ("/contexts/.c/subjects/a/versions", "list_versions [a] in .c"),
        ("/contexts/c/subjects/a/versions", "list_versions [a] in c"),
        ("/contexts/:.c:/subjects", "list_subjects [] in .c"),
        ("/contexts/%3A.c%3A/subjects", "list_subjects [] in :.c:"),
        ("/contexts/.c/config", "get_subject_level_config [] in .c"),
        ("/contexts/.c/mode/a", "get_subject_mode [a] in .c"),
        ("/contexts/.c/contexts", "list_contexts [] in .c"),
        ("/contexts/.c/schemas/ids/7", "get_schema_by_id [7] in .c"),
        ("/contexts/.c/schemas/ids", "404"),
        ("/contexts/.c/nothing", "404"),
        ("/contexts/a:b/subjects", "400"),
        ("/contexts/a:b/schemas/types", "get_schema_types []"),
        ("/contexts/a:b", "400"),
        ("/contexts/a:b/nothing", "404"),
        ("/contexts/a:b/schemas/nothing", "404"),
        ("/contexts/a:b/config", "400"),
        ("/contexts/a:b/mode/s", "400"),
        ("/contexts/a:b/mode/:.c:s", "get_subject_mode [:.c:s]"),
        ("/contexts/a:b/subjects/s/versions", "400"),
        ("/contexts/a:b/subjects/:.c:s/versions", "list_versions [:.c:s]"),
        ("/contexts/a:b/subjects/%3A.c%3As/versions", "list_versions [:.c:s]"),
        ("/contexts/a:b/schemas/ids/7", "400"),
        ("/contexts/a:b/associations/subjects/s", "400"),
        ("/contexts/a:b/associations/resources/r", "get_associations_by_resource_id [r]"),
        ("/contexts/a:b/contexts", "list_contexts []"),
        ("/contexts/b/contexts/c/subjects", "list_subjects [] in c"),
        ("/contexts/b/contexts/c/contexts/d/config", "get_subject_level_config [] in d"),
        ("/contexts/a:b/contexts/c/mode/s", "get_subject_mode [s] in c"),
        ("/contexts/b/contexts/a:c/mode/s", "400"),
        ("/contexts/b/contexts/c", "405 DELETE,OPTIONS"),
        ("/contexts/b/contexts/a:c", "400"),
        ("/contexts/.", "root [] in ."),
        ("/contexts/.c", "405 DELETE,OPTIONS"),
        ("/contexts/.c/", "405 DELETE,OPTIONS"),
    ] {
        assert_eq!(said("GET", path), expected, "{path}");
    }
}

#[test]
fn methods_follow_the_routes_of_their_path() {
    for (method, path, expected) in [
        ("HEAD", "/subjects", "list_subjects []"),
        ("OPTIONS", "/", "200 HEAD,POST,GET,OPTIONS"),
        ("OPTIONS", "/subjects/a/versions/1", "200 HEAD,DELETE,GET,OPTIONS"),
        ("OPTIONS", "/config", "200 HEAD,DELETE,GET,OPTIONS,PUT"),
        ("OPTIONS", "/nothing", "404"),
        ("PATCH", "/subjects", "405 HEAD,GET,OPTIONS"),
        ("get", "/subjects", "405 HEAD,GET,OPTIONS"),
        ("TRACE", "/subjects", "405 HEAD,GET,OPTIONS"),
        ("HEAD", "/subjects/a", "405 DELETE,POST,OPTIONS"),
        ("GET", "/associations/resources/-/t", "get_associations_by_resource_name [-, t]"),
        ("POST", "/associations:batchGet", "batch_get_associations []"),
        ("POST", "/associations:nothing", "404"),
        ("POST", "/contexts/a:b/associations", "400"),
        ("POST", "/contexts/a:b/associations:batchGet", "400"),
        ("POST", "/exporters", "404"),
    ] {
        assert_eq!(said(method, path), expected, "{method} {path}");
    }
    assert_eq!(Allow(Verb::Get.bit() | Verb::Post.bit()).spaced(), "HEAD, POST, GET, OPTIONS");
}

#[test]
fn any_bytes_resolve_to_something() {
    let router = Router::new(&[Surface::Registry, Surface::Rest, Surface::Management]);
    let alphabet = ["/", "contexts", ":", ".", "%", "2", "F", ";", "subjects", "ü", "\\", "..", "-", "config"];
    let mut state = 1u32;
    for _ in 0..20_000 {
        let mut path = String::from("/");
        for _ in 0..(state >> 28) {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            path.push_str(alphabet[(state >> 16) as usize % alphabet.len()]);
        }
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let _ = router.resolve("GET", &path, None);
    }
}
