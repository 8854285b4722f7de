//! F-CFG-18: the chapter on tuning gives each of its tips a setting that there is and a table of what was measured.
#![allow(clippy::unwrap_used)]

use callboard::bus::config::Config;

/// F-CFG-18: concurrency by capacity, thresholds by tolerance, sizes of caches, memory.
#[test]
fn every_tip_has_a_setting_and_a_table() {
    let page = include_str!("../../../docs/tuning.md");
    let tips = [
        ("## Concurrency by capacity", "bus.max_concurrent_messages"),
        ("## Thresholds by tolerance", "circuit_breaker.failure_threshold"),
        ("## Sizes of caches", "discovery.cache_size"),
        ("## Memory and bounds", "events.max_history"),
    ];
    let settings = Config::load().finish().unwrap().settings();
    for (heading, setting) in tips {
        let (_, rest) = page.split_once(heading).unwrap();
        let tip = rest.split("\n## ").next().unwrap();
        assert!(tip.contains(&format!("`{setting}`")), "{heading}");
        assert!(settings.iter().any(|known| known.key == setting && known.is_live), "{setting}");
        let cells = tip.lines().filter(|line| line.starts_with("| ")).skip(1).flat_map(|row| row.split('|'));
        let figures = cells.filter(|cell| cell.trim().starts_with(|first: char| first.is_ascii_digit())).count();
        assert!(figures >= 6, "{heading}: {figures} figures");
    }
}
