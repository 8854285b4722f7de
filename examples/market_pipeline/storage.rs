//! The storage actor: keeps what was found, on disk and nowhere else.
//!
//! It holds nothing in memory that a restart could lose, and each of its
//! steps may be taken twice.

use std::path::PathBuf;
use std::sync::Arc;

use callboard::SyncHandler;
use callboard::prelude::{Actor, Context, Fault, Message};

use crate::archive::Archive;
pub(crate) use crate::archive::StoreError;
use crate::chaos::Chaos;
use crate::outline::Outline;
use crate::part::Part;
use crate::result_file::ResultFile;

/// Makes the place that parts are stored in.
#[derive(Debug, Clone, Message)]
#[message(reply = Result<(), StoreError>, keep)]
pub(crate) struct Prepare;

/// Stores one part of the result under its number.
#[derive(Debug, Clone, Message)]
#[message(reply = Result<(), StoreError>, keep)]
pub(crate) struct StorePart {
    pub(crate) number: u32,
    pub(crate) part: Arc<Part>,
}

/// Puts the first `parts` parts together and writes the result file.
#[derive(Debug, Clone, Message)]
#[message(reply = Result<Published, StoreError>, keep)]
pub(crate) struct Publish {
    pub(crate) outline: Arc<Outline>,
    pub(crate) parts: u32,
}

/// Takes away what only the run needed.
#[derive(Debug, Clone, Message)]
#[message(reply = Result<(), StoreError>, keep)]
pub(crate) struct Tidy;

/// The result as it was stored, and where.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) path: PathBuf,
    pub(crate) result: ResultFile,
}

/// Writes to one archive.
#[derive(Debug)]
pub(crate) struct Storage {
    pub(crate) archive: Archive,
    pub(crate) chaos: Chaos,
}

impl Actor for Storage {}

impl SyncHandler<Prepare> for Storage {
    fn handle(&mut self, _: Prepare, cx: &mut Context<Self>) -> Result<Result<(), StoreError>, Fault> {
        let done = self.archive.prepare();
        self.chaos.strike("preparing the archive", cx.attempt());
        Ok(done)
    }
}

impl SyncHandler<StorePart> for Storage {
    fn handle(&mut self, work: StorePart, cx: &mut Context<Self>) -> Result<Result<(), StoreError>, Fault> {
        let done = self.archive.put(work.number, &work.part);
        self.chaos.strike(format_args!("storing part {}", work.number), cx.attempt());
        Ok(done)
    }
}

impl SyncHandler<Publish> for Storage {
    fn handle(&mut self, work: Publish, cx: &mut Context<Self>) -> Result<Result<Published, StoreError>, Fault> {
        let done = self.archive.publish(&work.outline, work.parts);
        self.chaos.strike("publishing the result", cx.attempt());
        Ok(done.map(|(path, result)| Published { path, result }))
    }
}

impl SyncHandler<Tidy> for Storage {
    fn handle(&mut self, _: Tidy, cx: &mut Context<Self>) -> Result<Result<(), StoreError>, Fault> {
        let done = self.archive.tidy();
        self.chaos.strike("tidying the archive", cx.attempt());
        Ok(done)
    }
}
