#[path = "../home/stub.rs"]
mod stub;

use callboard_macros::Message;
use stub::{Message as _, Priority};

#[derive(Message)]
#[message(crate = stub)]
struct Unit;

#[derive(Message)]
#[message(crate = stub)]
struct Tuple(#[allow(dead_code)] u8);

#[derive(Message)]
#[message(crate = crate::stub)]
#[allow(dead_code)]
enum Choice {
    One,
    Other { text: String },
}

fn reply_of<M: stub::Message<Reply = ()>>() {}

fn main() {
    reply_of::<Unit>();
    reply_of::<Tuple>();
    reply_of::<Choice>();
    assert_eq!(Unit::PRIORITY, Priority::Normal);
    assert_eq!(Unit::TIMEOUT, None);
    assert!(Unit::KEEP.is_none());
}
