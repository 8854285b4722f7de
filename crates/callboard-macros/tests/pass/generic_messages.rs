#![deny(warnings)]

#[path = "../home/stub.rs"]
mod stub;

use callboard_macros::Message;
use std::fmt::Debug;
use std::marker::PhantomData;

/// A reply with a parameter, no bound written by the user.
#[derive(Message)]
#[message(crate = stub, reply = Option<T>)]
pub struct Swap<T>(pub T);

/// Bounds, a default, a constant parameter and a where clause of the user's own.
#[derive(Clone, Message)]
#[message(crate = stub, keep)]
pub struct Batch<T: Debug = u8, const N: usize = 2>
where
    T: PartialEq,
{
    pub items: [T; N],
}

/// Is a message although its parameter is not `Send`.
#[derive(Message)]
#[message(crate = stub)]
pub struct Tagged<T>(pub PhantomData<fn() -> T>);

/// Is a message for one lifetime only.
#[derive(Message)]
#[message(crate = stub, reply = &'a str)]
pub struct Borrowed<'a>(pub &'a str);

/// The types of a private reply and a private message do not leak.
struct Private;

#[derive(Message)]
#[message(crate = stub, reply = Vec<(T, Private)>)]
pub(crate) struct Hidden<T>(pub(crate) T);

fn is_message<M: stub::Message>() {}

fn main() {
    is_message::<Swap<String>>();
    is_message::<Batch>();
    is_message::<Batch<String, 7>>();
    is_message::<Tagged<std::rc::Rc<u8>>>();
    is_message::<Borrowed<'static>>();
    is_message::<Hidden<u8>>();
    let _ = Hidden(Private).0;
}
