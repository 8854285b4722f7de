use callboard_actor::Message;
use callboard_bus::module;

#[derive(Message, serde::Deserialize, schemars::JsonSchema)]
struct One;

struct NoClone;
#[module(name = "no_clone")]
impl NoClone {
    #[request("one", blocking)]
    fn one(&self, _: One) {}
}

#[derive(Clone)]
struct NotSend(std::rc::Rc<u8>);
#[module(name = "not_send")]
impl NotSend {
    #[request("one", blocking)]
    fn one(&self, _: One) {
        let _ = &self.0;
    }
}

fn main() {}
