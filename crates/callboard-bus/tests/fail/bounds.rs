use callboard_actor::Message;
use callboard_bus::module;

#[derive(Message, schemars::JsonSchema)]
struct Unread;

struct Reader;
#[module(name = "reader")]
impl Reader {
    #[request("read")]
    fn read(&mut self, _: Unread) {}
}

#[derive(Message, serde::Deserialize, schemars::JsonSchema)]
#[message(reply = u64)]
struct Count;

struct Counter;
#[module(name = "counter")]
impl Counter {
    #[request("count")]
    fn count(&mut self, _: Count) -> u8 {
        0
    }
}

fn main() {
    let _ = callboard_bus::module::<Counter>();
}
