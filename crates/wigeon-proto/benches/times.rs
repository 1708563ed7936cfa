//! How long each hot path takes: `cargo bench -p wigeon-proto --bench times`.
//!
//! For how many instructions it is, which no other program on the machine changes, see `counts.rs`.

mod operations;

use divan::Bencher;
use operations::Operation;

fn main() {
    divan::main();
}

#[divan::bench(args = operations::ALL)]
fn operation(bencher: Bencher, operation: &Operation) {
    bencher.bench_local((operation.prepare)());
}
