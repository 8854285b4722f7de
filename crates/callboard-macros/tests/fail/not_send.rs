#[path = "../home/stub.rs"]
mod stub;

use callboard_macros::Message;
use std::rc::Rc;

#[derive(Message)]
#[message(crate = stub)]
struct Bound(Rc<u8>);

#[derive(Message)]
#[message(crate = stub, reply = Rc<u8>)]
struct Answered;

#[derive(Message)]
#[message(crate = stub)]
struct Generic<T>(T);

fn is_message<M: stub::Message>() {}

fn main() {
    is_message::<Generic<Rc<u8>>>();
}
