//! The binary `muster`.

use std::process::ExitCode;

/// A quarter off the time of a page: rendering allocates much and frees it at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    server::cli::main()
}
