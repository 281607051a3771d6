//! Writes inputs for the targets to start from into `corpus/<target>`: the codec tests' own requests and answers, and
//! recorded traffic where it is at hand.

mod dialects {
    pub use gw_testkit::dialect::Dialect;
    pub use irongate_fuzz::{ANTHROPIC, GEMINI, OPENAI};
}
#[path = "../../crates/gateway/tests/it/codec/inputs/mod.rs"]
mod inputs;
#[path = "../../crates/gateway/tests/it/codec/streams.rs"]
mod streams;

use std::path::Path;

use gw_testkit::corpus::{Exchange, load};

/// Larger recordings slow a fuzzer down more than they teach it.
const LARGEST: usize = 8 << 10;

fn write(target: &str, name: &str, bytes: &[u8]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    if bytes.len() <= LARGEST {
        std::fs::write(folder.join(name), bytes).expect("the input can be written");
    }
}

/// JSON is also an input of the index, and a stream of its framers, whose first byte says how to cut.
fn write_all(dialect: &str, kind: &str, name: &str, bytes: &[u8]) {
    let name = format!("{dialect}_{name}");
    write(&format!("{dialect}_{kind}"), &name, bytes);
    let cut = [&[7], bytes].concat();
    match kind {
        "stream" => write("sse_framer", &name, &cut),
        _ => write("json_index", &name, bytes),
    }
    if dialect == "gemini" {
        write("json_array_framer", &name, &cut);
    }
}

fn dialect_of(exchange: &Exchange) -> Option<&'static str> {
    match () {
        () if exchange.is_openai_chat() => Some("openai"),
        () if exchange.is_anthropic() => Some("anthropic"),
        () if exchange.is_gemini() => Some("gemini"),
        () => None,
    }
}

fn main() {
    let own = [
        ("openai", inputs::openai::INPUTS),
        ("anthropic", inputs::anthropic::INPUTS),
        ("gemini", inputs::gemini::INPUTS),
    ];
    for (dialect, list) in own {
        for (name, body) in list {
            write_all(dialect, "request", name, body.as_bytes());
        }
    }
    for sample in streams::SAMPLES {
        let dialect = sample.dialect.vendor;
        write_all(dialect, "stream", sample.name, sample.stream().as_bytes());
        write_all(
            dialect,
            "stream",
            &format!("{}_fault", sample.name),
            (sample.prefix(1) + &sample.fault()).as_bytes(),
        );
        write_all(dialect, "reply", sample.name, sample.reply.as_bytes());
    }
    for exchange in load().unwrap_or_default() {
        let Some(dialect) = dialect_of(&exchange) else { continue };
        if let Some(request) = &exchange.request {
            write_all(dialect, "request", &exchange.id, request);
        }
        let kind = if exchange.is_stream { "stream" } else { "reply" };
        write_all(dialect, kind, &exchange.id, &exchange.response);
    }
}
