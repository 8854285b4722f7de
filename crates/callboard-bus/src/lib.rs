//! Modules as actors that find each other: values, expressions, retry schedules and pictures to begin with.

pub mod picture;
