//! Every refusal: place, field, what is wrong, what to do.

use gw_config::CliOverrides;

use crate::support::Case;

#[test]
fn unknown_fields_are_refused_with_the_likely_spelling() {
    let yaml = "
lissten: x
redis: {}
server: {prot: 1}
providers: {a: {type: openai, api_key: k, api_kee: k}}
models: [{name: a, provider: a, providr: b}]
";
    insta::assert_snapshot!(Case::yaml(yaml).errors(), @r#"
    irongate.yaml:2:1: lissten: unknown field; did you mean `listen`?
    irongate.yaml:3:1: redis: unknown field; known fields here: version, listen, server, data_dir, database, logging, admin, providers, models, default_provider, default_model, timeout, aliases, keys, key_prefix, streaming, limits, fidelity, defaults, ledger, upstream, native, gemini
    irongate.yaml:4:10: server.prot: unknown field; did you mean `port`?
    irongate.yaml:5:43: providers.a.api_kee: unknown field; did you mean `api_key`?
    irongate.yaml:6:33: models[0].providr: unknown field; did you mean `provider`?
    "#);
}

#[test]
fn wrong_values_are_all_reported_at_once() {
    let yaml = "
version: 7
timeout: 5 minutes
server:
  port: 70000
  body_limit: huge
  https: {enabled: maybe}
  drain_timeout_seconds: -1
logging:
  level: loud
  format: xml
fidelity: perfect
upstream: {http2: always}
streaming: {idle_timeout_seconds: 0}
limits: {max_json_depth: 0}
ledger: {fsync_ms: soon}
key_prefix: 'a b'
";
    insta::assert_snapshot!(Case::yaml(yaml).errors(), @r#"
    irongate.yaml:2:10: version: version "7" is not supported; write version: "1.0"
    irongate.yaml:3:10: timeout: "5 minutes" is not a duration above zero; write something like 5m, 120s, 1h30m, 500ms or a whole number of seconds
    irongate.yaml:5:9: server.port: "70000" is not a port number; write a whole number from 0 to 65535 (0 lets the system choose)
    irongate.yaml:6:15: server.body_limit: "huge" is not a size above zero; write a number of bytes or something like 512KB, 10MB, 1GB
    irongate.yaml:7:20: server.https.enabled: "maybe" is not a yes/no value; write true or false
    irongate.yaml:8:26: server.drain_timeout_seconds: "-1" is not a duration; write something like 5m, 120s, 1h30m, 500ms or a whole number of seconds
    irongate.yaml:10:10: logging.level: "loud" is not a log level; write one of error, warn, info, debug, trace
    irongate.yaml:11:11: logging.format: "xml" is not a log format; write json or text
    irongate.yaml:12:11: fidelity: "perfect" is not a fidelity; write default, strict or lenient
    irongate.yaml:13:19: upstream.http2: "always" is not an HTTP/2 policy; write auto or never
    irongate.yaml:14:35: streaming.idle_timeout_seconds: "0" is not a duration above zero; write something like 5m, 120s, 1h30m, 500ms or a whole number of seconds
    irongate.yaml:15:26: limits.max_json_depth: "0" is not a whole number above zero; write a whole number such as 100
    irongate.yaml:16:20: ledger.fsync_ms: "soon" is not a number of milliseconds; write a whole number of milliseconds such as 100
    irongate.yaml:17:13: key_prefix: "a b" is not a key prefix; use at most 32 letters, digits, `-` and `_`
    "#);
}

#[test]
fn wrong_shapes_are_refused() {
    let yaml = "
server: 8080
providers: [a, b]
models: {name: a}
keys: one
logging: {level: [info]}
aliases: {a: [b]}
admin: null
";
    insta::assert_snapshot!(Case::yaml(yaml).errors(), @r#"
    irongate.yaml:2:9: server: expected a section, found a single value; write indented `field: value` lines below it
    irongate.yaml:3:12: providers: expected a section, found a list; write indented `field: value` lines below it
    irongate.yaml:4:9: models: expected a list, found a section; write one `- ` line per element
    irongate.yaml:5:7: keys: expected a list, found a single value; write one `- ` line per element
    irongate.yaml:6:18: logging.level: expected a single value, found a list; write the value on the same line
    irongate.yaml:7:14: aliases.a: expected a single value, found a list; write the value on the same line
    "#);
    insta::assert_snapshot!(Case::yaml("- a\n- b\n").errors(), @r#"irongate.yaml:1:1: expected a section, found a list; write indented `field: value` lines below it"#);
}

#[test]
fn models_are_checked() {
    let yaml = "
models:
  - {name: gpt-4, provider: opnai}
  - {name: gpt-4, provider: openai}
  - {provider: openai}
  - {name: x}
  - {name: gpt-5, provider: somebody-else}
default_provider: mistrall
";
    insta::assert_snapshot!(Case::yaml(yaml).env("OPENAI_API_KEY", "k").errors(), @r#"
    irongate.yaml:3:29: models[0].provider: unknown provider "opnai"; did you mean `openai`?
    irongate.yaml:4:12: models[1].name: model `gpt-4` is listed twice, first on line 3; remove or rename one of them
    irongate.yaml:5:5: models[2].name: the model has no name; add `name:`
    irongate.yaml:6:5: models[3].provider: the model has no provider; add `provider:`
    irongate.yaml:7:29: models[4].provider: unknown provider "somebody-else"; add `providers.somebody-else` or name one of openai
    irongate.yaml:8:19: default_provider: unknown provider "mistrall"; did you mean `mistral`?
    "#);
    insta::assert_snapshot!(Case::yaml("models: []\n").errors(), @r#"irongate.yaml:1:1: models: the list of models is empty; list at least one model, or remove `models:`"#);
    insta::assert_snapshot!(Case::yaml("version: '1.0'\nmodels:\n").errors(), @r#"irongate.yaml:2:1: models: the list of models is empty; list at least one model, or remove `models:`"#);
}

#[test]
fn aliases_and_the_default_model_lead_somewhere() {
    let yaml = "
models:
  - {name: gpt-4, provider: openai, aliases: [one]}
aliases:
  one: gpt-4
  gpt-4: openai/gpt-4
  loop-a: loop-b
  loop-b: loop-a
  self: self
  lost: gpt-44
  fine: openai/anything/at-all
default_model: nowhere
";
    insta::assert_snapshot!(Case::yaml(yaml).env("OPENAI_API_KEY", "k").errors(), @r#"
    irongate.yaml:5:8: aliases.one: the name `one` is already taken; rename the alias or remove it
    irongate.yaml:6:10: aliases.gpt-4: the name `gpt-4` is already taken; rename the alias or remove it
    irongate.yaml:7:11: aliases.loop-a: alias `loop-a` leads back to itself; let it end at a model
    irongate.yaml:8:11: aliases.loop-b: alias `loop-b` leads back to itself; let it end at a model
    irongate.yaml:9:9: aliases.self: alias `self` leads back to itself; let it end at a model
    irongate.yaml:10:9: aliases.lost: "gpt-44" is neither a model nor `provider/model`; did you mean `gpt-4`?
    irongate.yaml:12:16: default_model: "nowhere" is neither a model nor `provider/model`; list it under `models`, write `provider/model`, or set `default_provider`
    "#);
}

#[test]
fn providers_are_checked() {
    let yaml = "
providers:
  a/b: {type: openai, api_key: k}
  b: {type: opnai}
  c: {type: cohere}
  d: {api_key: k}
  e: {type: openai-compatible}
  f: {type: ollama, base_url: localhost:11434}
  g: {type: ollama, base_url: 'https://user:hunter2@host/v1'}
  h: {type: ollama, base_url: 'https://host/v1?key=hunter2'}
  i: {type: ollama, base_url: 'https://host:99999/v1'}
  j: {type: ollama, headers: {'X Y': z}}
  k: {type: ollama, weight: 0, timeout_seconds: never}
";
    let errors = Case::yaml(yaml).errors();
    insta::assert_snapshot!(errors, @r#"
    irongate.yaml:3:8: providers.a/b: "a/b" is not a provider name; use a name without blanks and slashes; it becomes the first part of `provider/model`
    irongate.yaml:4:13: providers.b.type: unknown provider type "opnai"; did you mean `openai`?
    irongate.yaml:5:13: providers.c.type: unknown provider type "cohere"; use one of openai, anthropic, gemini, mistral, deepseek, qwen, ollama, lmstudio, openai-compatible, mock
    irongate.yaml:6:6: providers.d: the provider has no type; add `type:`, one of openai, anthropic, gemini, mistral, deepseek, qwen, ollama, lmstudio, openai-compatible, mock
    irongate.yaml:7:6: providers.e.base_url: type `openai-compatible` has no default address; add `base_url:`
    irongate.yaml:8:31: providers.f.base_url: the address does not start with http:// or https://; write something like https://host/v1
    irongate.yaml:9:31: providers.g.base_url: the address contains credentials; use `api_key` or `headers` instead
    irongate.yaml:10:31: providers.h.base_url: the address contains a query or fragment; end it with the path; use `api_version` or `headers`
    irongate.yaml:11:31: providers.i.base_url: the address has no valid host and port; write something like https://host/v1
    irongate.yaml:12:38: providers.j.headers.X Y: the name or the value cannot be sent as a header; use letters, digits and `-` in the name, and visible ASCII in the value
    irongate.yaml:13:29: providers.k.weight: "0" is not a whole number above zero; write a whole number such as 100
    irongate.yaml:13:49: providers.k.timeout_seconds: "never" is not a duration above zero; write something like 5m, 120s, 1h30m, 500ms or a whole number of seconds
    "#);
    assert!(!errors.contains("hunter2"));
}

#[test]
fn referenced_providers_need_their_key() {
    let yaml = "
providers:
  mine: {type: openai}
  spare: {type: gemini}
  proxy: {type: openai, base_url: https://elsewhere.example}
models:
  - {name: a, provider: mine}
  - {name: b, provider: ollama}
default_provider: anthropic
";
    insta::assert_snapshot!(Case::yaml(yaml).errors(), @r#"
    irongate.yaml:7:25: models[0].provider: provider `mine` has no API key; set providers.mine.api_key in the file or OPENAI_API_KEY in the environment or .env
    irongate.yaml:9:19: default_provider: provider `anthropic` has no API key; set providers.anthropic.api_key in the file or ANTHROPIC_API_KEY in the environment or .env
    "#);
    let with_key = || Case::yaml(yaml).env("OPENAI_API_KEY", "k").env("ANTHROPIC_API_KEY", "k");
    insta::assert_snapshot!(with_key().warnings(), @r#"
    irongate.yaml:4:10: providers.spare: provider `spare` has no API key and is disabled; to use it, set providers.spare.api_key in the file or GEMINI_API_KEY in the environment or .env
    irongate.yaml:5:10: providers.proxy: provider `proxy` has no API key and is disabled; to use it, set providers.proxy.api_key in the file or OPENAI_API_KEY in the environment or .env
    "#);
    let config = with_key().ok().config;
    assert!(config.provider("mine").unwrap().api_key.is_some(), "same type, default address");
    assert!(config.provider("proxy").unwrap().api_key.is_none(), "a key never goes to an address of its own accord");
    assert!(config.provider("ollama").unwrap().enabled, "named by a model, needs no key");
}

#[test]
fn keys_are_checked() {
    let yaml = "
keys:
  - {key: ig-0123456789abcdef0123}
  - {name: a}
  - {name: a, key: ig-0123456789abcdef0123}
  - {name: b, key: x, key_hash: y}
  - {name: c, key_hash: abc}
  - {name: d, key: 'hunter2 hunter2'}
";
    let errors = Case::yaml(yaml).env("GATEWAY_API_KEYS", "schlüssel-hunter2").errors();
    insta::assert_snapshot!(errors, @r#"
    irongate.yaml:3:5: keys[0]: the key has no name; add a `name:`, it appears in logs and statistics
    irongate.yaml:4:5: keys[1]: key `a` has no value; add `key:` or `key_hash:`
    irongate.yaml:5:12: keys[2].name: key name `a` is used twice; give each key its own name
    irongate.yaml:6:33: keys[3].key_hash: `key` and `key_hash` are both given; keep one of them
    irongate.yaml:7:25: keys[4].key_hash: the value is not a SHA-256 hash; write the 64 hexadecimal digits of the key's SHA-256
    irongate.yaml:8:20: keys[5].key: the key contains blanks or characters outside ASCII; use letters, digits and punctuation only
    environment variable GATEWAY_API_KEYS: the key contains blanks or characters outside ASCII; use letters, digits and punctuation only
    "#);
    assert!(!errors.contains("hunter2"));
}

#[test]
fn broken_files_are_refused_with_their_place() {
    insta::assert_snapshot!(Case::yaml("a: [1\nb: 2\n").errors(), @r#"irongate.yaml:2:2: the file is not valid YAML: illegal placement of ':' indicator; correct the file at this place"#);
    insta::assert_snapshot!(Case::yaml("listen: ':1'\nlisten: ':2'\n").errors(), @r#"irongate.yaml:2:1: field `listen` is given twice; correct the file at this place"#);
    insta::assert_snapshot!(Case::yaml("version: '1'\n---\nversion: '1'\n").errors(), @r#"irongate.yaml:3:1: the file contains more than one YAML document; correct the file at this place"#);
    insta::assert_snapshot!(Case::yaml(b"version: '1'\nlisten: \xff\n").errors(), @r#"irongate.yaml: line 2 is not UTF-8 text; save the file as UTF-8"#);
    insta::assert_snapshot!(Case::yaml("[".repeat(100)).errors(), @r#"irongate.yaml:1:21: the file is not valid YAML: recursion limit exceeded; correct the file at this place"#);
}

#[test]
fn broken_references_are_refused() {
    let yaml = "
admin: {username: 'x ${NOT_SET} y', password_hash: '${file:absent.txt}', session_secret: '${open'}
server: {host: '${1X}', port: '${SECRET}'}
";
    let errors = Case::yaml(yaml).env("SECRET", "hunter2").errors();
    insta::assert_snapshot!(errors, @r#"
    irongate.yaml:2:19: admin.username: environment variable NOT_SET is not set; set NOT_SET in the environment or in .env, or write ${NOT_SET:-default}
    irongate.yaml:2:52: admin.password_hash: cannot read absent.txt: entity not found; check the path and its permissions; a relative path starts at the configuration file
    irongate.yaml:2:90: admin.session_secret: a ${ reference does not end with }; write ${NAME}, ${NAME:-default} or ${file:/path}; a literal ${ is written $${
    irongate.yaml:3:16: server.host: a ${ reference does not contain a variable name; write ${NAME}, ${NAME:-default} or ${file:/path}; a literal ${ is written $${
    irongate.yaml:3:31: server.port: the interpolated value is not a port number; write a whole number from 0 to 65535 (0 lets the system choose)
    "#);
    assert!(!errors.contains("hunter2"));
}

#[test]
fn https_needs_its_files() {
    insta::assert_snapshot!(Case::yaml("server:\n  https: {enabled: true, key_file: k.pem}\n").errors(), @r#"irongate.yaml:2:20: server.https.cert_file: HTTPS is enabled without a certificate; name a PEM file, or set server.https.enabled: false"#);
}

#[test]
fn the_environment_and_the_command_line_are_checked() {
    let overrides = CliOverrides { listen: Some("8080".to_owned()), ..CliOverrides::default() };
    let case = Case::empty()
        .env("PORT", "http")
        .env("LOG_LEVEL", "loud")
        .env("IRONGATE_LISTEN", "host:99999")
        .env("ENABLE_MOCK_MODE", "perhaps")
        .dotenv("UPSTREAM_TIMEOUT=forever\nOPENAI_API_KEY=k\nOPENAI_BASE_URL=ftp://host\nbroken\n")
        .overrides(overrides);
    insta::assert_snapshot!(case.errors(), @r#"
    .env:1: UPSTREAM_TIMEOUT: "forever" is not a duration above zero; write something like 5m, 120s, 1h30m, 500ms or a whole number of seconds
    .env:3: OPENAI_BASE_URL: the address does not start with http:// or https://; write something like https://host/v1
    .env:4: there is no `=` on this line; write NAME=value, or start a comment with #
    environment variable ENABLE_MOCK_MODE: "perhaps" is not a yes/no value; write true or false
    environment variable IRONGATE_LISTEN: "host:99999" is not an address to listen on; write HOST:PORT such as 127.0.0.1:8080, with a port up to 65535
    environment variable PORT: "http" is not a port number; write a whole number from 0 to 65535 (0 lets the system choose)
    command line --listen: "8080" is not an address to listen on; write HOST:PORT such as 127.0.0.1:8080, with a port up to 65535
    environment variable LOG_LEVEL: "loud" is not a log level; write one of error, warn, info, debug, trace
    "#);
}

#[test]
fn absent_files_are_refused() {
    let types = crate::support::types();
    let errors = gw_config::load(&gw_config::Sources {
        config_path: Some("absent/irongate.yaml".into()),
        env_file: Some("absent/.env".into()),
        environment: Vec::new(),
        overrides: CliOverrides::default(),
        types: &types,
    })
    .unwrap_err();
    insta::assert_snapshot!(errors, @r#"
    absent/.env: cannot read the file: entity not found; check the path and its permissions, or leave out --env-file
    absent/irongate.yaml: cannot read the file: entity not found; check the path and its permissions, or leave out --config
    "#);
}

#[test]
fn one_fault_is_one_complaint() {
    let yaml = "
providers: {mine: {type: opnai}}
models: [{name: a, provider: mine}, {name: b, provider: nobody}]
aliases: {c: b}
default_provider: mine
";
    insta::assert_snapshot!(Case::yaml(yaml).errors(), @r#"
    irongate.yaml:2:26: providers.mine.type: unknown provider type "opnai"; did you mean `openai`?
    irongate.yaml:3:57: models[1].provider: unknown provider "nobody"; add `providers.nobody` or name one of mine
    "#);
}

#[test]
fn the_old_and_the_new_gemini_section_do_not_mix() {
    let yaml = "gemini: {api_key: k}\nproviders: {gemini: {api_key: k}}\n";
    insta::assert_snapshot!(Case::yaml(yaml).errors(), @r#"irongate.yaml:1:1: gemini: `providers.gemini` exists as well; remove the old `gemini` section"#);
}

#[test]
fn doubtful_settings_are_warned_about() {
    let yaml = "
listen: ':1'
server: {port: 2}
providers: {off: {type: openai, enabled: false}}
default_provider: off
keys: [{name: short, key: abc}]
";
    insta::assert_snapshot!(Case::yaml(yaml).warnings(), @r#"
    irongate.yaml:5:19: default_provider: provider `off` is switched off, requests will fail
    irongate.yaml:3:16: server: `listen` is given as well and wins over `host` and `port`
    irongate.yaml:6:27: keys[0].key: the key is shorter than 20 characters and may be guessed
    "#);
}
