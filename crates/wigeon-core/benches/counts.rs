//! Each hot path a given number of times and nothing else, for `cargo xtask bench-counts` to count instructions.
//!
//! `counts` lists the operations; `counts <name> <times>` runs one.

#![expect(clippy::print_stdout, reason = "the list is what it is asked for")]

mod operations;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, times] = &arguments[..] else {
        for operation in operations::ALL {
            println!("{operation}");
        }
        return;
    };
    let known = operations::ALL.iter().find(|operation| operation.name == name);
    let mut run = (known.expect("an operation of the list").prepare)();
    for _ in 0..times.parse().expect("a number of times") {
        run();
    }
}
