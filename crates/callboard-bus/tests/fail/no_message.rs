#![allow(unused)]

use callboard_bus::module;

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct NoMessage;

struct OfText;
#[module(name = "of_text")]
impl OfText {
    #[request("put")]
    fn put(&mut self, text: String) {}
}

struct OfStruct;
#[module(name = "of_struct")]
impl OfStruct {
    #[request("put")]
    async fn put(&mut self, put: NoMessage) {}
}

fn main() {}
