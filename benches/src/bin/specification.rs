//! The benchmark table of the specification beside what is measured here, as Markdown.
//!
//! ```text
//! cargo run --release -p benches --bin specification
//! ```

use benches::specification::table;

fn main() {
    println!("| operation | first version | second version | here |\n|---|--:|--:|---|");
    for line in table() {
        println!("| {} | {} | {} | {} |", line.what, line.first, line.second, line.measured);
    }
}
