//! The program: what launchers rely on.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use super::watch::until;

const PROGRAM: &str = env!("CARGO_BIN_EXE_avnm-emulator");

/// A child that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A directory that is this test's own.
fn directory(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn fails(arguments: &[&str]) -> String {
    let Output { status, stderr, .. } = Command::new(PROGRAM).args(arguments).output().unwrap();
    assert!(!status.success());
    String::from_utf8(stderr).unwrap()
}

#[tokio::test]
async fn it_says_where_it_listens_and_whom_to_trust() {
    let directory = directory("ready");
    let (ready, ca) = (directory.join("ready.json"), directory.join("ca.pem"));
    let child = Command::new(PROGRAM)
        .args(["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--page-size", "7"])
        .args(["--imds", "127.0.0.1:0"])
        .args([Path::new("--ready-file"), &ready, Path::new("--ca-file"), &ca])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let child = Running(child);
    until(|| ready.exists()).await;
    let ready: Value = serde_json::from_str(&std::fs::read_to_string(&ready).unwrap()).unwrap();
    assert_eq!(ready["arm"], ready["authority"]);
    assert_eq!(ready["ca"].as_str(), ca.to_str());
    let pem = std::fs::read(&ca).unwrap();
    let http = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&pem).unwrap()])
        .no_proxy()
        .build()
        .unwrap();
    let arm = http.get(format!("{}/subscriptions/x", ready["arm"].as_str().unwrap())).send().await.unwrap();
    assert_eq!(arm.status(), 400);
    let settings = http.get(format!("{}/settings", ready["control"].as_str().unwrap())).send().await.unwrap();
    assert_eq!(settings.json::<Value>().await.unwrap()["pageSize"], 7);
    let imds = http.get(format!("{}/metadata", ready["imds"].as_str().unwrap())).send().await.unwrap();
    assert_eq!(imds.status(), 404);
    drop(child);
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn what_does_not_fit_is_said_before_it_listens() {
    let directory = directory("world");
    let world = directory.join("world.yaml");
    std::fs::write(&world, "tenants: [{id: t, colour: red}]").unwrap();
    let text = fails(&["--listen", "127.0.0.1:0", "--world", world.to_str().unwrap()]);
    assert!(text.contains("world file") && text.contains("colour"), "{text}");
    assert!(text.contains(world.to_str().unwrap()), "{text}");
    for (file, wanted) in
        [("", "tenants: there is none"), ("tenants: [{id: t}]", "tenants[0] (t): id: \"t\" is not a GUID")]
    {
        std::fs::write(&world, file).unwrap();
        let text = fails(&["--listen", "127.0.0.1:0", "--world", world.to_str().unwrap()]);
        assert!(text.contains(&format!("world file {}: {wanted}", world.display())), "{text}");
    }
    let text = fails(&["--world", directory.join("none").to_str().unwrap()]);
    assert!(text.contains("read world file"), "{text}");
    assert!(fails(&["--member-delay-ms", "9-1"]).contains("9 is more than 1"));
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn the_schema_of_a_world_refuses_unknown_fields_as_the_program_does() {
    let output = Command::new(PROGRAM).arg("--print-world-schema").output().unwrap();
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let definitions = schema["$defs"].as_object().unwrap().values();
    let objects: Vec<&Value> =
        definitions.chain([&schema]).filter(|it| it["properties"].is_object()).collect();
    assert!(objects.len() > 8, "{objects:?}");
    for object in objects {
        assert_eq!(object["additionalProperties"], false, "{object}");
    }
}

#[test]
fn the_schema_of_the_settings_is_printed_and_each_has_its_meaning() {
    let output = Command::new(PROGRAM).arg("--print-settings-schema").output().unwrap();
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    let defaults = serde_json::to_value(avnm_emulator::Settings::default()).unwrap();
    assert!(properties.keys().eq(defaults.as_object().unwrap().keys()), "{properties:?}");
    for (name, property) in properties {
        assert!(property["description"].as_str().is_some_and(|text| text.len() > 10), "{name}");
        assert_eq!(property["default"], defaults[name], "{name}");
    }
}

#[test]
fn a_setting_that_does_not_exist_is_refused_by_name() {
    for (settings, wanted) in [
        (r#"{"pageSize": 0}"#, "pageSize: 0 is no page"),
        (r#"{"reconnect": "sometimes"}"#, "reconnect: unknown variant `sometimes`, expected one of `always`"),
    ] {
        let text = fails(&["--settings", settings]);
        assert!(text.contains(wanted), "{text}");
    }
    let text = fails(&["--page-size", "0", "--listen", "127.0.0.1:0"]);
    assert!(text.contains("pageSize: 0 is no page"), "{text}");
    let text = fails(&["--settings", r#"{"pagesize": 3}"#]);
    assert!(text.contains("pagesize"), "{text}");
    let text = fails(&["--settings", "{"]);
    assert!(text.contains("--settings"), "{text}");
}

#[test]
fn the_default_world_can_be_printed_and_used_again() {
    let output = Command::new(PROGRAM).arg("--print-world").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, avnm_emulator::world::file::DEFAULT_WORLD);
}

#[test]
fn the_example_of_a_pipeline_works() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/emulator/check.sh");
    let output = Command::new("bash").arg(script).arg(PROGRAM).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{err}");
    assert_eq!(out, "connection: Connected\nwrites: 2, refused: 2\n", "{err}");
}

/// The flags that the example gives the image, with our own places and free ports in place of the container's.
fn flags_of_the_job(directory: &Path) -> Vec<String> {
    let job = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/emulator/github-actions.yaml");
    let job = std::fs::read_to_string(job).unwrap();
    let (_, after) = job.split_once("avnm-emulator:0.1.0 \\\n").unwrap();
    let mut flags = Vec::new();
    for line in after.lines() {
        flags.extend(line.trim_end_matches('\\').split_whitespace().map(|flag| {
            let flag = flag.replace(":8443", ":0").replace(":8444", ":0");
            match flag.strip_prefix("/avnm/").or(flag.strip_prefix('/')) {
                Some(file) => directory.join(file).display().to_string(),
                None => flag,
            }
        }));
        if !line.ends_with('\\') {
            break;
        }
    }
    flags
}

#[tokio::test]
async fn the_flags_of_the_example_job_open_what_a_pipeline_needs() {
    let directory = directory("job");
    std::fs::write(directory.join("world.yaml"), avnm_emulator::world::file::DEFAULT_WORLD).unwrap();
    let log = std::fs::File::create(directory.join("log")).unwrap();
    let child = Command::new(PROGRAM)
        .args(flags_of_the_job(&directory))
        .env_remove("AVNM_EMULATOR_LOG")
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let child = Running(child);
    let ready = directory.join("ready.json");
    until(|| ready.exists()).await;
    let ready: Value = serde_json::from_str(&std::fs::read_to_string(&ready).unwrap()).unwrap();
    let pem = std::fs::read(directory.join("ca.pem")).unwrap();
    let http = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&pem).unwrap()])
        .no_proxy()
        .build()
        .unwrap();
    let fault = r#"{"match": {"nth": 1}, "action": {"status": 418}}"#;
    let url = format!("{}/faults", ready["control"].as_str().unwrap());
    let added = http.post(url).header("content-type", "application/json").body(fault).send().await.unwrap();
    assert_eq!(added.status(), 200);
    let url = format!("{}/subscriptions/x?code=query-secret", ready["arm"].as_str().unwrap());
    let refused = http.get(url).bearer_auth("token-secret").send().await.unwrap();
    assert_eq!(refused.status(), 418);

    let log = std::fs::read_to_string(directory.join("log")).unwrap();
    assert!(log.contains("WARN") && log.contains("open beyond loopback"), "{log}");
    assert!(log.contains("INFO") && log.contains("#1 GET /subscriptions/x 418, nobody, fault 1"), "{log}");
    let ledger = std::fs::read_to_string(directory.join("ledger.jsonl")).unwrap();
    assert!(
        ledger.contains(r#""path":"/subscriptions/x""#) && ledger.contains(r#""status":418"#),
        "{ledger}"
    );
    for (text, secret) in
        [&log, &ledger].into_iter().flat_map(|text| [(text, "query-secret"), (text, "token-secret")])
    {
        assert!(!text.contains(secret), "{text}");
    }
    drop(child);
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn the_readme_points_at_rules_that_there_are() {
    let readme = include_str!("../../README.md");
    let (_, list) = readme.split_once("most assumptions: in that list, ").unwrap();
    let (list, _) = list.split_once(" are what to read").unwrap();
    let named: Vec<&str> = list.split('`').skip(1).step_by(2).collect();
    assert!(named.len() > 3, "{list}");
    for family in named {
        let evidence = avnm_emulator::catalogue::EVIDENCE.iter().find(|(known, _)| *known == family);
        let (_, all) = evidence.unwrap_or_else(|| panic!("{family}"));
        let assumed = all.iter().filter(|it| it.basis == avnm_emulator::evidence::Basis::Assumed);
        assert!(assumed.count() > 0, "{family}");
    }
}
