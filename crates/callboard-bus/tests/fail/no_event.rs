#![allow(unused)]

use callboard_bus::module;

struct NoEvent;

struct Hears;
#[module(name = "hears")]
impl Hears {
    #[event("a.b")]
    fn on(&mut self, event: NoEvent) {}
}

struct Unnamed;
#[module(name = "unnamed")]
impl Unnamed {
    #[event]
    fn on(&mut self, event: String) {}
}

fn main() {}
