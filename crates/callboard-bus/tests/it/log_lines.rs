//! What a story writes into the log, on its thread.

use std::io;
use std::sync::{Arc, Mutex};

/// The lines of a log so far.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Keeps the lines of what this does.
    pub(crate) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        let writer = self.clone();
        // While there is but one, what another thread without any comes upon first is taken to be of interest to nobody.
        let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, work)
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.split_terminator('\n').map(str::to_owned).collect()
    }

    /// Those with this target.
    pub(crate) fn about(&self, target: &str) -> Vec<String> {
        let target = format!(" {target}: ");
        self.lines().into_iter().filter(|line| line.contains(&target)).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs a story, and answers with its lines.
pub(crate) fn lines_of(story: impl FnOnce()) -> Vec<String> {
    let log = Log::default();
    log.during(story);
    log.lines()
}

/// What a line says under this name, up to the next space.
pub(crate) fn said<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let (_, rest) = line.split_once(&format!(" {name}="))?;
    rest.split(' ').next()
}
