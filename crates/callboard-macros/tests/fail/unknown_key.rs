#[path = "../home/stub.rs"]
mod stub;

use callboard_macros::Message;

#[derive(Message)]
#[message(crate = stub, reply = u64, retries = 3)]
struct Retried;

fn main() {}
