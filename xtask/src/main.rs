//! Command line of the project tasks: `tidy` checks the house rules, `codegen` writes generated files.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use xtask::{codegen, tidy};

const HELP: &str = "usage: cargo run -p xtask -- tidy            check the house rules
       cargo run -p xtask -- codegen         write generated files
       cargo run -p xtask -- codegen --check  fail when a generated file is stale
";

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = repository_root();
    match words.as_slice() {
        ["tidy"] => run_tidy(&root),
        ["codegen"] => run_codegen(&root),
        ["codegen", "--check"] => check_codegen(&root),
        _ => {
            std::io::stderr().write_all(HELP.as_bytes())?;
            Ok(ExitCode::from(2))
        }
    }
}

fn run_tidy(root: &Path) -> anyhow::Result<ExitCode> {
    let workspace = tidy::Workspace::load(root)?;
    let report = tidy::run(&workspace);
    let mut out = std::io::stdout().lock();
    for violation in &report.violations {
        writeln!(out, "{violation}")?;
    }
    // The last line is read by .ci/run.
    writeln!(out, "tidy: {} rules passed, {} rules failed", report.passed, report.failed)?;
    Ok(if report.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_codegen(root: &Path) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    for path in codegen::write(root)? {
        writeln!(out, "wrote {path}")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn check_codegen(root: &Path) -> anyhow::Result<ExitCode> {
    let stale = codegen::stale(root);
    let mut out = std::io::stdout().lock();
    for path in &stale {
        writeln!(out, "{path}: stale: run `cargo run -p xtask -- codegen` and commit the result")?;
    }
    Ok(if stale.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn repository_root() -> PathBuf {
    let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest_dir.parent().unwrap_or(manifest_dir).to_path_buf()
}
