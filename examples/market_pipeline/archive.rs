//! The folder that results go to.
//!
//! Every file is written under another name first and then renamed, so a file
//! that can be seen is whole, and writing it again changes nothing. That is
//! what allows the storage to fail at any moment and to be asked again.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::outline::Outline;
use crate::part::Part;
use crate::result_file::ResultFile;

const RESULT: &str = "result.json";

/// The file system, or what it gave back, let the storage down.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("cannot {action} {}: {source}", path.display())]
    File { action: &'static str, path: PathBuf, source: io::Error },
    #[error("{} is no part of a result: {source}", path.display())]
    Part { path: PathBuf, source: serde_json::Error },
    #[error("the result cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// A folder with the result file and, while a run is under way, the parts of its result.
#[derive(Debug, Clone)]
pub(crate) struct Archive {
    folder: PathBuf,
    parts: PathBuf,
}

/// Whether a file must outlive a crash of the machine. If so it reaches the
/// disk before it is renamed, else the name could come back with half a file.
#[derive(Clone, Copy)]
enum Keep {
    ForTheRun,
    ForGood,
}

impl Archive {
    /// An archive in a folder that need not be there yet. The parts of one
    /// run stay apart from those of another that uses the same folder.
    pub(crate) fn new(folder: PathBuf, run: u32) -> Self {
        Self { parts: folder.join(format!("parts-{run}")), folder }
    }

    /// Makes the folders.
    pub(crate) fn prepare(&self) -> Result<(), StoreError> {
        fs::create_dir_all(&self.parts).map_err(StoreError::file("create the folder", &self.parts))
    }

    /// Stores a part under its number.
    pub(crate) fn put(&self, number: u32, part: &Part) -> Result<(), StoreError> {
        replace(&self.part(number), &serde_json::to_string(part)?, Keep::ForTheRun)
    }

    /// Puts the parts with the numbers below `count` together and writes the result file.
    pub(crate) fn publish(&self, outline: &Outline, count: u32) -> Result<(PathBuf, ResultFile), StoreError> {
        let parts = (0..count).map(|number| self.get(number)).collect::<Result<Vec<_>, _>>()?;
        let result = outline.complete(parts);
        let path = self.folder.join(RESULT);
        replace(&path, &result.to_json()?, Keep::ForGood)?;
        Ok((path, result))
    }

    /// Takes the parts away.
    pub(crate) fn tidy(&self) -> Result<(), StoreError> {
        match fs::remove_dir_all(&self.parts) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::file("remove", &self.parts)(error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn get(&self, number: u32) -> Result<Part, StoreError> {
        let path = self.part(number);
        let text = fs::read_to_string(&path).map_err(StoreError::file("read", &path))?;
        serde_json::from_str(&text).map_err(|source| StoreError::Part { path, source })
    }

    fn part(&self, number: u32) -> PathBuf {
        self.parts.join(format!("{number}.json"))
    }
}

impl StoreError {
    fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }
}

fn replace(path: &Path, text: &str, keep: Keep) -> Result<(), StoreError> {
    let temporary = path.with_extension("new");
    write(&temporary, text, keep).map_err(StoreError::file("write", &temporary))?;
    fs::rename(&temporary, path).map_err(StoreError::file("write", path))
}

fn write(path: &Path, text: &str, keep: Keep) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    match keep {
        Keep::ForTheRun => Ok(()),
        Keep::ForGood => file.sync_data(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(name: &str) -> Archive {
        let folder = std::env::temp_dir().join(format!("market_pipeline-{}-{name}", std::process::id()));
        let archive = Archive::new(folder, 7);
        archive.prepare().expect("the folder can be made");
        archive
    }

    fn gone(archive: &Archive) {
        fs::remove_dir_all(&archive.folder).expect("the folder can be removed");
    }

    fn drawdown() -> Part {
        Part::Drawdown { series: 0, greatest: None }
    }

    #[test]
    fn every_step_may_be_taken_twice() {
        let archive = archive("twice");
        let part = Part::Volatility { series: 0, values: Vec::new() };
        let mut published = Vec::new();
        for _ in 0..2 {
            archive.prepare().expect("prepared");
            archive.put(0, &part).expect("stored");
        }
        let outline = Outline::default();
        for _ in 0..2 {
            let (path, _) = archive.publish(&outline, 0).expect("published");
            published.push(fs::read_to_string(path).expect("the result file is there"));
        }
        archive.tidy().expect("tidied");
        archive.tidy().expect("tidied");
        assert_eq!(published[0], published[1]);
        assert!(!archive.parts.exists());
        gone(&archive);
    }

    #[test]
    fn a_missing_part_is_named_and_leaves_the_old_result() {
        let archive = archive("missing");
        let (path, _) = archive.publish(&Outline::default(), 0).expect("published");
        let error = archive.publish(&Outline::default(), 1).expect_err("part 0 was never stored");
        assert!(error.to_string().contains("cannot read"), "{error}");
        assert!(error.to_string().contains("0.json"), "{error}");
        assert!(path.exists());
        gone(&archive);
    }

    #[test]
    fn a_part_comes_back_as_it_was() {
        let archive = archive("part");
        archive.put(3, &drawdown()).expect("stored");
        assert_eq!(archive.get(3).expect("there"), drawdown());
        gone(&archive);
    }
}
