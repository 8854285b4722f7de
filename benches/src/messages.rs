//! The messages of every peer: eight bytes each, so that no peer is helped or
//! hurt by its envelope's size.

use std::sync::{Arc, atomic::AtomicU64};

/// Adds to the receiver's counter; nothing comes back.
#[derive(Clone, Copy, Debug)]
pub struct Add(pub u64);

/// Adds to the receiver's counter and answers with the new sum.
#[derive(Clone, Copy, Debug)]
pub struct AddAndGet(pub u64);

/// Adds one to a counter that many actors share: how a hundred thousand of
/// them show that each has handled its message.
#[derive(Clone, Debug)]
pub struct Greet(pub Arc<AtomicU64>);

/// Travels round a ring of actors; carries how many hops are left.
#[derive(Clone, Copy, Debug)]
pub struct Hop(pub u64);

/// Asks a runner how many hops it has seen.
#[derive(Clone, Copy, Debug)]
pub struct Hops;

/// Tells a runner who comes after it in the ring.
#[derive(Clone, Debug)]
pub struct Follow<R>(pub R);

/// Makes the receiver panic.
#[derive(Clone, Copy, Debug)]
pub struct Break;

/// Asks how often the receiver has been started.
#[derive(Clone, Copy, Debug)]
pub struct Generation;
