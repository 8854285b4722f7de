#![allow(unused)]

use callboard_actor::Message;
use callboard_bus::module;

#[derive(Debug)]
struct Full;

#[derive(Message, serde::Deserialize, schemars::JsonSchema)]
#[message(reply = u32)]
struct Put;

struct Store;
#[module(name = "store")]
impl Store {
    #[request("put")]
    fn put(&mut self, _: Put) -> Result<u32, Full> {
        Err(Full)
    }
}

fn main() {}
