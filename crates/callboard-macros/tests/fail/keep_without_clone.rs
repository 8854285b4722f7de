#[path = "../home/stub.rs"]
mod stub;

use callboard_macros::Message;

#[derive(Message)]
#[message(crate = stub, keep)]
struct Kept(String);

fn main() {}
