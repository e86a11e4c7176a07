use super::*;

struct Fixed;

impl Secrets for Fixed {
    fn file(&self, path: &str) -> Result<String, String> {
        if path == "/run/pw" { Ok("from-file".to_owned()) } else { Err("no such file".to_owned()) }
    }
    fn variable(&self, name: &str) -> Result<String, String> {
        if name == "PW" { Ok("from-env".to_owned()) } else { Err(format!("{name} is not set")) }
    }
}

fn values(pairs: &[(&'static str, &str)]) -> RawValues {
    pairs.iter().map(|(name, text)| (*name, Raw { text: (*text).to_owned(), origin: Origin::Flag(name) })).collect()
}

fn serve(pairs: &[(&'static str, &str)]) -> Result<Settings, Vec<String>> {
    read(&values(pairs), Role::Serve, &Fixed, &mut Vec::new())
}

const SMALLEST: &[(&str, &str)] = &[("database-url", "postgres://u@h/d"), ("bootstrap-servers", "a:9092,b:9092")];

fn with(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    SMALLEST.iter().chain(more).copied().collect()
}

#[test]
fn the_smallest_start_names_a_database_and_brokers() {
    let settings = serve(SMALLEST).unwrap();
    assert_eq!(settings.default_cluster.unwrap().bootstrap, ["a:9092", "b:9092"]);
    assert_eq!(settings.registry.address, "127.0.0.1:8081");
    assert_eq!(settings.registry.apis, [Api::Registry, Api::Rest]);
    assert!(!settings.read_back);
}

#[test]
fn every_mistake_is_named_with_its_place() {
    let mistakes = serve(&[("rest-listen", "8082"), ("cache-size", "64MB"), ("allow-anonymous", "yes")]).unwrap_err();
    assert_eq!(
        mistakes,
        [
            "--rest-listen: \"8082\" is no host:port",
            "--allow-anonymous: \"yes\" is neither true nor false",
            "--cache-size: \"64MB\" is no size: a whole number and one of B, KiB, MiB, GiB, like 10MiB",
            "default: database-url: is required: postgres://user@host/database, or sqlite://path",
            "default: bootstrap-servers: is required, unless control-files declare clusters",
            "--rest-listen: 8082 can be reached from other machines, and nobody has to say who they are: add \
             --allow-anonymous if that is meant",
        ]
    );
}

#[test]
fn a_reachable_listener_without_authentication_must_be_meant() {
    let mistakes = serve(&with(&[("registry-listen", "0.0.0.0:8081")])).unwrap_err();
    assert!(mistakes[0].contains("--allow-anonymous"), "{mistakes:?}");
    assert!(serve(&with(&[("registry-listen", "0.0.0.0:8081"), ("allow-anonymous", "true")])).is_ok());
    assert!(serve(&with(&[("registry-listen", "[::1]:8081")])).is_ok());
}

#[test]
fn secrets_come_from_a_file_or_a_variable_and_are_never_printed() {
    let sasl = [("kafka-security-protocol", "sasl_ssl"), ("kafka-username", "u"), ("kafka-password-file", "/run/pw")];
    let settings = serve(&with(&sasl)).unwrap();
    assert_eq!(settings.default_cluster.as_ref().unwrap().password.as_ref().unwrap().reveal(), "from-file");
    assert!(!format!("{settings:?}").contains("from-file"));
    let mistakes = serve(&with(&[("database-password-env", "NOPE")])).unwrap_err();
    assert_eq!(mistakes, ["--database-password-env: NOPE is not set"]);
}

#[test]
fn a_password_in_a_configuration_file_is_refused() {
    let mut from_file = values(SMALLEST);
    let origin = Origin::File("s.yaml".into(), sluice_control_plane::problem::Position { line: 3, column: 1 });
    from_file.insert("database-url", Raw { text: "postgres://u:hunter2@h/d".into(), origin });
    let mistakes = read(&from_file, Role::Serve, &Fixed, &mut Vec::new()).unwrap_err();
    assert_eq!(mistakes.len(), 1);
    assert!(mistakes[0].starts_with("s.yaml:3: database-url: holds a password in a file"), "{mistakes:?}");
    assert!(!mistakes[0].contains("hunter2"));
}

#[test]
fn two_listeners_on_one_address_are_a_mistake_unless_the_port_is_free_choice() {
    let twice = with(&[("registry-listen", "127.0.0.1:8082")]);
    assert_eq!(serve(&twice).unwrap_err(), ["default: rest-listen: 127.0.0.1:8082 is registry-listen's already"]);
    assert!(serve(&with(&[("registry-listen", "127.0.0.1:0"), ("rest-listen", "127.0.0.1:0")])).is_ok());
}

#[test]
fn dev_needs_nothing_and_shows_records() {
    let settings = read(&RawValues::new(), Role::Dev, &Fixed, &mut Vec::new()).unwrap();
    assert!(settings.read_back);
    assert_eq!(settings.data_dir, Some(PathBuf::from(".dev")));
}
