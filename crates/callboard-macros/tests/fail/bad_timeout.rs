#[path = "../home/stub.rs"]
mod stub;

use callboard_macros::Message;

#[derive(Message)]
#[message(crate = stub, timeout = "2 parsecs")]
struct Far;

#[derive(Message)]
#[message(crate = stub, timeout = "2")]
struct Bare;

#[derive(Message)]
#[message(crate = stub, timeout = 2)]
struct Number;

#[derive(Message)]
#[message(crate = stub, timeout = "0ms")]
struct Never;

fn main() {}
