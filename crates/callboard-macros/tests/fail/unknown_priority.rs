#[path = "../home/stub.rs"]
mod stub;

use callboard_macros::Message;

#[derive(Message)]
#[message(crate = stub, priority = Urgent)]
struct Urgent;

fn main() {}
