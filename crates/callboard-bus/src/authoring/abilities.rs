//! What the types of an operation can do beyond what they must: [`Of`].

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::value::{Value, ValueError, from_value};

/// Makes a value of something.
pub type Show<T> = fn(&T) -> Result<Value, ValueError>;

/// Makes something of a value.
pub type Read<T> = fn(&Value) -> Result<T, ValueError>;

/// Finds out what a type can do, where the code that `#[module]` writes names it. Of two methods with one name the compiler
/// takes the one that needs the fewer references, so the trait for those who can comes before the one for all.
#[derive(Debug)]
pub struct Of<T>(pub PhantomData<fn() -> T>);

/// See [`Of`].
pub trait Copies<T> {
    /// Another one of the message.
    fn copying(&self) -> Option<fn(&T) -> T>;
}

impl<T: Clone> Copies<T> for Of<T> {
    fn copying(&self) -> Option<fn(&T) -> T> {
        Some(T::clone)
    }
}

impl<T> Copies<T> for &Of<T> {
    fn copying(&self) -> Option<fn(&T) -> T> {
        None
    }
}

/// See [`Of`].
pub trait Shows<T> {
    /// The message as a value.
    fn showing(&self) -> Option<Show<T>>;
}

impl<T: Serialize> Shows<T> for Of<T> {
    fn showing(&self) -> Option<Show<T>> {
        Some(|message| Value::from_serialize(message))
    }
}

impl<T> Shows<T> for &Of<T> {
    fn showing(&self) -> Option<Show<T>> {
        None
    }
}

/// See [`Of`].
pub trait Reads<T> {
    /// A reply of an output.
    fn reading(&self) -> Option<Read<T>>;
}

impl<T: DeserializeOwned> Reads<T> for Of<T> {
    fn reading(&self) -> Option<Read<T>> {
        Some(|output| from_value(output))
    }
}

impl<T> Reads<T> for &Of<T> {
    fn reading(&self) -> Option<Read<T>> {
        None
    }
}

/// See [`Of`]; of a reply that is an output or a failure.
pub trait ReadsOk<T> {
    /// A reply of an output.
    fn reading_ok(&self) -> Option<Read<T>>;
}

impl<T: DeserializeOwned, E> ReadsOk<Result<T, E>> for Of<Result<T, E>> {
    fn reading_ok(&self) -> Option<Read<Result<T, E>>> {
        Some(|output| from_value(output).map(Ok))
    }
}

impl<T> ReadsOk<T> for &Of<T> {
    fn reading_ok(&self) -> Option<Read<T>> {
        None
    }
}
