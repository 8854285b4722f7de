//! Modules as actors that find each other: values, expressions, retry schedules and pictures to begin with.

pub mod value;

pub use self::value::{Array, NotFinite, Number, Object, Path, PathError, Segment, Value, ValueError, from_value};
