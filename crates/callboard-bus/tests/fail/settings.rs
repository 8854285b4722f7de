use callboard_actor::Message;
use callboard_bus::{RetryPolicy, module};

#[derive(Message, serde::Deserialize, schemars::JsonSchema)]
struct One;
#[derive(Message, serde::Deserialize, schemars::JsonSchema)]
struct Two;
#[derive(Message, serde::Deserialize, schemars::JsonSchema)]
struct Three;
#[derive(Message, serde::Deserialize, schemars::JsonSchema)]
struct Four;
#[derive(Message, serde::Deserialize, schemars::JsonSchema)]
struct Five;

struct Settings;
#[module(name = "settings")]
impl Settings {
    #[request("one", dead_letters(Permanent, Weird))]
    fn one(&mut self, _: One) {}
    #[request("two", rate(0, "1s"))]
    fn two(&mut self, _: Two) {}
    #[request("three", rate(1, "0s"))]
    fn three(&mut self, _: Three) {}
    #[request("four", timeout = "0s")]
    fn four(&mut self, _: Four) {}
    #[request("five", no_breaker, breaker = rules())]
    fn five(&mut self, _: Five) {}
}

struct Balance;
#[module(name = "balance", balance = Fastest)]
impl Balance {}

struct Weight;
#[module(name = "weight", weight = 0)]
impl Weight {}

struct Retries;
#[module(name = "retries")]
impl Retries {
    #[request("one", retry = 3)]
    fn one(&mut self, _: One) {}
    #[request("two", retry = RetryPolicy::none())]
    fn two(&mut self, _: Two) {}
}

struct Abilities;
#[module(name = "abilities", advertises("printing"))]
impl Abilities {}

fn main() {}
