use callboard_actor::Message;
use callboard_bus::module;

struct A;
#[module(name = "a", requires = "a.b")]
impl A {}

struct B;
#[module(name = "b", tags = ["one", "two"])]
impl B {}

struct C;
#[module(name = "c", protocols = RequestResponse)]
impl C {}

struct D;
#[module(name = "d", advertises = ability())]
impl D {}

struct E;
#[module(name = "e", required_permissions)]
impl E {}

struct F;
#[module(name = "f", may_use "a.b")]
impl F {}

#[derive(Message, serde::Deserialize, schemars::JsonSchema)]
struct One;
#[derive(Message, serde::Deserialize, schemars::JsonSchema)]
struct Two;

struct G;
#[module(name = "g")]
impl G {
    #[request("one", dead_letters = [Permanent, Unknown])]
    fn one(&mut self, _: One) {}
    #[request("two", rate = 100)]
    fn two(&mut self, _: Two) {}
}

fn main() {}
