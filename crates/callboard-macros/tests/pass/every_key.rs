#[path = "../home/stub.rs"]
mod stub;

use callboard_macros::Message;
use std::time::Duration;
use stub::{Message as _, Priority};

pub struct Declined;

#[derive(Clone, Message)]
#[message(crate = stub, reply = Result<u64, Declined>, priority = High, timeout = "2s", keep)]
pub struct Withdraw {
    cents: u64,
}

fn reply_of<M: stub::Message<Reply = Result<u64, Declined>>>() {}

fn main() {
    reply_of::<Withdraw>();
    assert_eq!(Withdraw::PRIORITY, Priority::High);
    assert_eq!(Withdraw::TIMEOUT, Some(Duration::from_secs(2)));
    let copy = Withdraw::KEEP.expect("kept");
    assert_eq!(copy(&mut Withdraw { cents: 5 }).cents, 5);
}
