//! The progress bar: bytes, rate, entries, findings, time left. Drawn on a terminal only.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::Common;
use crate::scan::analyse::Progress;

/// How often the bar is drawn.
const INTERVAL: Duration = Duration::from_millis(200);

/// A bar that draws itself until it is finished.
pub struct Bar {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Bar {
    /// Starts drawing, where there is a terminal and nobody minds. `total` is in bytes of input.
    pub fn start(common: &Common, progress: &Arc<Progress>, total: u64) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let wanted = !common.quiet && !common.no_progress && std::io::stderr().is_terminal();
        let thread = wanted.then(|| {
            let (done, progress) = (Arc::clone(&done), Arc::clone(progress));
            std::thread::spawn(move || draw(&done, &progress, total))
        });
        Self { done, thread }
    }

    /// Takes the bar away.
    pub fn finish(mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A bar that could not be drawn is no reason to fail.
            let _ = thread.join();
        }
    }
}

fn draw(done: &AtomicBool, progress: &Progress, total: u64) {
    let style = ProgressStyle::with_template(
        "{bar:24} {bytes}/{total_bytes} {bytes_per_sec} {msg} eta {eta}",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(total).with_style(style);
    while !done.load(Ordering::Relaxed) {
        bar.set_position(progress.bytes_in.load(Ordering::Relaxed));
        bar.set_message(format!(
            "{} entries, {} findings",
            progress.entries.load(Ordering::Relaxed),
            progress.findings.load(Ordering::Relaxed)
        ));
        std::thread::park_timeout(INTERVAL);
    }
    bar.finish_and_clear();
}
