//! The ground floor through its public face: a file per story, named by the property it shows.

mod smoke;
