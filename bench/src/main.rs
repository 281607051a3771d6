//! `gwbench upstream` answers like a provider; `gwbench load` and `gwbench hold` measure whatever stands in front of it.

mod arguments;
mod http;
mod load;
mod process;
mod samples;
mod upstream;

use std::process::ExitCode;

use arguments::Arguments;

const HELP: &str = "usage: gwbench upstream --listen HOST:PORT
       gwbench load --target HOST:PORT --dialect openai|anthropic|gemini --model NAME [--prefix /path]
                    [--key KEY] [--connections N] [--seconds S] [--warmup S] [--prompt-bytes N]
                    [--stream] [--chunks N] [--pid PID,PID]
       gwbench hold (as load): opens N streams, waits for the first token of each, reports memory per stream";

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => return fail(&format!("{problem}\n{HELP}")),
    };
    // One thread: the harness shares one core, and must not fight itself for it.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    let local = tokio::task::LocalSet::new();
    let outcome = local.block_on(&runtime, async {
        match arguments.command.as_str() {
            "upstream" => upstream::serve(&arguments.listen).await,
            "load" => load::run(&arguments).await.map(|report| println!("{report}")),
            "hold" => load::hold(&arguments).await.map(|report| println!("{report}")),
            other => Err(format!("unknown command `{other}`\n{HELP}").into()),
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error.to_string()),
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("gwbench: {message}");
    ExitCode::FAILURE
}
