#[path = "../home/stub.rs"]
mod stub;

use callboard_macros::Message;

#[derive(Message)]
#[message(crate = stub, reply = u8)]
#[message(reply = u16)]
struct Twice;

fn main() {}
