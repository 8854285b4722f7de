//! The folder that results go to.
//!
//! Every file is written under another name first and then renamed, so a file
//! that can be seen is whole, and writing it again changes nothing. That is
//! what allows the storage to fail at any moment and to be asked again.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::result_file::ResultFile;

const RESULT: &str = "result.json";

/// The file system, or what it gave back, let the storage down.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("cannot {action} {}: {source}", path.display())]
    File { action: &'static str, path: PathBuf, source: io::Error },
    #[error("{} is no result file: {source}", path.display())]
    Unreadable { path: PathBuf, source: serde_json::Error },
    #[error("the result cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// A folder with the result file.
#[derive(Debug, Clone)]
pub(crate) struct Archive {
    folder: PathBuf,
}

impl Archive {
    /// An archive in a folder that need not be there yet.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Makes the folder.
    pub(crate) fn prepare(&self) -> Result<(), StoreError> {
        fs::create_dir_all(&self.folder).map_err(StoreError::file("create the folder", &self.folder))
    }

    /// Writes the result file, in place of an older one.
    pub(crate) fn put(&self, result: &ResultFile) -> Result<PathBuf, StoreError> {
        self.write(RESULT, &result.to_json()?)
    }

    /// Reads the result file.
    pub(crate) fn get(&self) -> Result<ResultFile, StoreError> {
        let path = self.folder.join(RESULT);
        let text = fs::read_to_string(&path).map_err(StoreError::file("read", &path))?;
        serde_json::from_str(&text).map_err(|source| StoreError::Unreadable { path, source })
    }

    /// Writes a file beside it.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<PathBuf, StoreError> {
        let path = self.folder.join(name);
        replace(&path, text)?;
        Ok(path)
    }
}

impl StoreError {
    fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { action, path, source }
    }
}

/// The text reaches the disk before the file is renamed, else the name could
/// come back from a crash with half a file.
fn replace(path: &Path, text: &str) -> Result<(), StoreError> {
    let temporary = path.with_extension("new");
    write(&temporary, text).map_err(StoreError::file("write", &temporary))?;
    fs::rename(&temporary, path).map_err(StoreError::file("write", path))
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(name: &str) -> Archive {
        let folder = std::env::temp_dir().join(format!("market_pipeline-{}-{name}", std::process::id()));
        let archive = Archive::new(folder);
        archive.prepare().expect("the folder can be made");
        archive
    }

    fn gone(archive: &Archive) {
        fs::remove_dir_all(&archive.folder).expect("the folder can be removed");
    }

    fn empty() -> ResultFile {
        let (series, correlations) = (Vec::new(), Vec::new());
        ResultFile { version: ResultFile::VERSION, series, correlations, quarantine: Vec::new(), warnings: Vec::new() }
    }

    #[test]
    fn every_step_may_be_taken_twice() {
        let archive = archive("twice");
        let mut stored = Vec::new();
        for _ in 0..2 {
            archive.prepare().expect("prepared");
            let path = archive.put(&empty()).expect("stored");
            stored.push(fs::read_to_string(path).expect("the result file is there"));
        }
        assert_eq!(stored[0], stored[1]);
        assert_eq!(fs::read_dir(&archive.folder).expect("a folder").count(), 1);
        gone(&archive);
    }

    #[test]
    fn a_result_comes_back_as_it_was() {
        let archive = archive("back");
        archive.put(&empty()).expect("stored");
        assert_eq!(archive.get().expect("there"), empty());
        gone(&archive);
    }

    #[test]
    fn what_is_no_result_is_named() {
        let archive = archive("missing");
        let error = archive.get().expect_err("nothing was stored");
        assert!(error.to_string().contains("cannot read"), "{error}");
        archive.write(RESULT, "{}").expect("written");
        let error = archive.get().expect_err("it is no result");
        assert!(error.to_string().contains("result.json is no result file"), "{error}");
        gone(&archive);
    }
}
