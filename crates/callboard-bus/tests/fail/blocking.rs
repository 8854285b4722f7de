use callboard_actor::Message;
use callboard_bus::module;

#[derive(Message, serde::Deserialize, schemars::JsonSchema)]
struct One;
#[derive(Message, serde::Deserialize, schemars::JsonSchema)]
struct Two;

#[derive(Clone)]
struct Receivers;
#[module(name = "receivers")]
impl Receivers {
    #[request("one", blocking)]
    fn one(&mut self, _: One) {}
    #[request("two", blocking)]
    fn two(self, _: Two) {}
}

#[derive(Clone)]
struct Shapes;
#[module(name = "shapes")]
impl Shapes {
    #[request("one", blocking)]
    async fn one(&self, _: One) {}
    #[request("two", blocking)]
    fn two(&self, _: Two, _: &mut callboard_actor::Context<Self>) {}
}

#[derive(Clone)]
struct Twice;
#[module(name = "twice")]
impl Twice {
    #[request("one", blocking, blocking)]
    fn one(&self, _: One) {}
}

fn main() {}
