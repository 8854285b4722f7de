use callboard_actor::Message;
use callboard_bus::module;

#[derive(Message, serde::Deserialize, schemars::JsonSchema)]
struct One;
#[derive(Message, serde::Deserialize, schemars::JsonSchema)]
struct Two;

struct Twice;
#[module(name = "twice")]
impl Twice {
    #[request("go")]
    fn one(&mut self, _: One) {}
    #[request("go")]
    fn two(&mut self, _: Two) {}
    #[request("stay")]
    fn three(&mut self, _: One) {}
}

struct Shared;
#[module(name = "shared")]
impl Shared {
    #[request("go")]
    fn one(&self, _: One) {}
    #[request("stay")]
    fn two(_: Two) {}
}

struct Patterns;
#[module(name = "patterns")]
impl Patterns {
    #[event("a..b")]
    fn one(&mut self, _: One) {}
    #[event("a.>.b")]
    fn two(&mut self, _: One) {}
}

struct Shapes;
#[module(name = "shapes")]
impl Shapes {
    #[request("go", sometimes)]
    fn one(&mut self, _: One) {}
    #[request("stay")]
    fn two(&mut self) {}
    #[every("2 parsecs")]
    fn three(&mut self) {}
    #[every("0s")]
    fn four(&mut self) {}
    #[probe]
    #[every("1s")]
    fn five(&mut self) {}
    fn start() -> Self {
        Self
    }
}

fn main() {}
