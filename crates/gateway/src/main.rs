//! The `irongate` binary: composition root and command line. The only crate that names dialects, vendors and databases.

mod admin;
mod cli;
mod discovery;
mod keys;
mod mock;
mod observer;
mod process;
mod registry;
mod reload;
mod serve;
mod snapshot;

use std::process::ExitCode;

/// Fewer system calls and less time per allocation than the system's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // One provider for the whole process; a second one in the tree would panic at the first handshake.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        return cli::fail("a TLS crypto provider is already installed");
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(fault) => return cli::fail(&format!("the runtime could not start: {fault}")),
    };
    runtime.block_on(cli::run(std::env::args().collect()))
}
