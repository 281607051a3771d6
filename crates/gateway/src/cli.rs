//! The command line. Only this module prints.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "standard output is the interface of the commands")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::{keys, mock, process, serve};

/// Name and version as shown to people.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Debug, Parser)]
#[command(name = "irongate", version, about = "An AI gateway: any dialect in, any provider out.")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway (the default).
    Serve(ServeArgs),
    /// Manage client keys; a running gateway takes changes over within a second.
    Keys {
        #[command(subcommand)]
        command: keys::Command,
    },
    /// Check the configuration and say what is wrong with it, without starting anything.
    Check(ServeArgs),
    /// Run mock providers that answer every endpoint locally.
    Mock(mock::MockArgs),
    /// Print the version.
    Version,
}

/// Where the configuration comes from.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ServeArgs {
    /// Configuration file; without it irongate.yaml, config/proxy-config.yaml or config.yaml is taken.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Address to listen on.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) listen: Option<String>,
    /// Port to listen on.
    #[arg(long, value_name = "PORT")]
    pub(crate) port: Option<u16>,
    /// File with environment variables; without it .env in the working directory is taken, if there is one.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) env_file: Option<PathBuf>,
    /// Directory for the database and the journal.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Log more.
    #[arg(long, short)]
    pub(crate) verbose: bool,
}

/// Runs the command named by the arguments.
pub(crate) async fn run(arguments: Vec<String>) -> ExitCode {
    let cli = match Cli::try_parse_from(double_dashes(arguments)) {
        Ok(cli) => cli,
        Err(fault) => {
            let usage = fault.use_stderr();
            let _ = fault.print();
            return if usage { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    let done = match cli.command {
        None => serve::run(cli.serve).await,
        Some(Command::Serve(args)) => serve::run(args).await,
        Some(Command::Keys { command }) => keys::run(command, &cli.serve).await,
        Some(Command::Check(args)) => process::check(&args),
        Some(Command::Mock(args)) => mock::run(args).await,
        Some(Command::Version) => {
            println!("irongate {VERSION}");
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => fail(&format!("{fault:#}")),
    }
}

/// Says what went wrong.
pub(crate) fn fail(message: &str) -> ExitCode {
    eprintln!("irongate: {message}");
    ExitCode::FAILURE
}

/// A line for the person who started the command.
pub(crate) fn say(line: &str) {
    println!("{line}");
}

/// A line that must not mix with a command's output.
pub(crate) fn note(line: &str) {
    eprintln!("{line}");
}

/// Accepts `-listen`, `-config`, `-env-file`, `-port`, `-data-dir` and `-verbose` with one dash, as other gateways
/// write them.
fn double_dashes(arguments: Vec<String>) -> Vec<String> {
    const LONG: [&str; 6] = ["listen", "config", "env-file", "port", "data-dir", "verbose"];
    let widen = |argument: String| {
        let name = argument.strip_prefix('-').and_then(|rest| rest.split('=').next());
        if name.is_some_and(|name| LONG.contains(&name)) { format!("-{argument}") } else { argument }
    };
    arguments.into_iter().map(widen).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::{Cli, Command, double_dashes};

    fn parse(line: &str) -> Cli {
        Cli::try_parse_from(double_dashes(line.split(' ').map(str::to_owned).collect())).unwrap()
    }

    #[test]
    fn single_and_double_dashes_mean_the_same() {
        for line in ["irongate -listen :8080 -config a.yaml -verbose", "irongate --listen=:8080 --config=a.yaml -v"] {
            let cli = parse(line);
            assert!(cli.command.is_none());
            assert_eq!(cli.serve.listen.as_deref(), Some(":8080"));
            assert_eq!(cli.serve.config.as_deref(), Some(std::path::Path::new("a.yaml")));
            assert!(cli.serve.verbose);
        }
        assert_eq!(parse("irongate -port=9000").serve.port, Some(9_000));
    }

    #[test]
    fn commands_are_recognised() {
        assert!(matches!(parse("irongate version").command, Some(Command::Version)));
        assert!(matches!(parse("irongate serve --listen 127.0.0.1:0").command, Some(Command::Serve(_))));
        let cli = parse("irongate keys create --name a --data-dir d");
        assert!(matches!(cli.command, Some(Command::Keys { .. })));
        assert_eq!(cli.serve.data_dir.as_deref(), Some(std::path::Path::new("d")));
    }
}
