#![allow(unused)]

use callboard_actor::{Context, Message};
use callboard_bus::{Event, module};

#[derive(Message, serde::Deserialize, schemars::JsonSchema)]
struct One;
#[derive(Message, serde::Deserialize, schemars::JsonSchema)]
struct Two;
#[derive(Message, serde::Deserialize, schemars::JsonSchema)]
struct Three;

struct First;
#[module(name = "first")]
impl First {
    #[request("one")]
    async fn one(&mut self, cx: &mut Context<Self>, one: One) {}
    #[event("a.b")]
    fn two(&mut self, cx: &mut callboard_actor::Context<Self>, _: Event) {}
    #[every("1s")]
    fn three(&mut self, cx: &mut Context<Self>, _: Two) {}
}

struct Alone;
#[module(name = "alone")]
impl Alone {
    #[request("one")]
    fn one(&mut self, cx: &mut Context<Self>) {}
    #[event("a.b")]
    fn two(&mut self, cx: &mut Context<Self>) {}
    #[request("three", blocking)]
    fn three(&self, cx: &mut Context<Self>, _: Three) {}
}

fn main() {}
