//! What `#[event(..)]` says wrongly of a channel.

use callboard_actor::{Context, Fault};
use callboard_bus::{Event, module};

struct One;

#[module(name = "one")]
impl One {
    async fn start(_: &mut Context<Self>) -> Result<Self, Fault> {
        Ok(Self)
    }

    #[event("a.b", chanel = "c")]
    fn unknown_key(&mut self, _: Event) {}
}

struct Two;

#[module(name = "two")]
impl Two {
    async fn start(_: &mut Context<Self>) -> Result<Self, Fault> {
        Ok(Self)
    }

    #[event("a.b", channel = "no name")]
    fn no_channel(&mut self, _: Event) {}
}

fn main() {}
