#![allow(dead_code)]

#[path = "../home/stub.rs"]
mod stub;

use callboard_macros::Message as Derived;

struct Option;
struct Duration;
struct Some;
trait Send {}
trait Clone {}

#[derive(std::clone::Clone, Derived)]
#[message(crate = stub, timeout = "150ms", priority = Background, keep)]
struct Shadowed;

fn is_message<M: stub::Message>() {}

fn main() {
    is_message::<Shadowed>();
}
