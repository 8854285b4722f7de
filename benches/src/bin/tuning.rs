//! The tables of `docs/tuning.md`, as Markdown.
//!
//! ```text
//! cargo run --release -p benches --bin tuning
//! ```

use benches::memory::CountingAllocator;
use benches::tuning::{self, Cells};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

fn main() {
    show(&["in hand at once", "events a second"], &tuning::concurrency());
    show(&["let in at once", "calls a second", "99 of 100 within, ms"], &tuning::calls_from_outside());
    let columns = ["failures in a row", "failed while it was down", "refused while it was not", "openings"];
    show(&columns, &tuning::thresholds());
    show(&["kept for", "nothing changes, us", "a change after every tenth, us"], &tuning::caches());
    show(&["history", "MiB"], &tuning::memory());
}

fn show(columns: &[&str], rows: &[Cells]) {
    println!("| {} |\n|{}", columns.join(" | "), "--:|".repeat(columns.len()));
    rows.iter().for_each(|cells| println!("| {} |", cells.join(" | ")));
    println!();
}
