//! One place where lines go, written by a thread of its own, so that only this thread ever waits for it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::time::{Duration, Instant};

/// Lines that wait to be written; with [`LINE_BYTES_MAX`], 4 MiB at the most.
const LINES_MAX: usize = 1_024;
/// Bytes of a line; what is longer is cut.
const LINE_BYTES_MAX: usize = 4_096;
/// How often a full queue is looked at while the last lines are waited for.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// The sending end. Cheap to use from any thread: nothing here waits.
#[derive(Debug)]
pub(super) struct Lane {
    queue: SyncSender<Note>,
    lost: Arc<AtomicU64>,
}

enum Note {
    Line(Vec<u8>),
    /// Everything before this has been written, or lost.
    Flush(SyncSender<()>),
}

impl Lane {
    /// Starts the thread. It ends with the lane, or with the program while `sink` is held up in a write.
    pub(super) fn start(name: &str, sink: impl FnMut(&[u8]) -> io::Result<()> + Send + 'static) -> io::Result<Self> {
        let (queue, notes) = mpsc::sync_channel(LINES_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&lost);
        std::thread::Builder::new().name(name.to_owned()).spawn(move || write(&notes, &counter, sink))?;
        Ok(Self { queue, lost })
    }

    /// Hands over one line, newline included, or counts it as lost where too many wait.
    pub(super) fn send(&self, line: &[u8]) {
        let mut line = line.to_vec();
        if line.len() > LINE_BYTES_MAX {
            line.truncate(LINE_BYTES_MAX - 1);
            line.push(b'\n');
        }
        if self.queue.try_send(Note::Line(line)).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until what was sent so far is written, or until the deadline.
    pub(super) fn flush(&self, deadline: Instant) {
        let (done, flushed) = mpsc::sync_channel(1);
        let mut note = Note::Flush(done);
        loop {
            match self.queue.try_send(note) {
                Ok(()) => break,
                Err(TrySendError::Full(back)) if Instant::now() < deadline => note = back,
                Err(_) => return,
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
        let _ = flushed.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

fn write(notes: &Receiver<Note>, lost: &AtomicU64, mut sink: impl FnMut(&[u8]) -> io::Result<()>) {
    for note in notes {
        let line = match note {
            Note::Line(line) => line,
            Note::Flush(done) => {
                let _ = done.try_send(());
                continue;
            }
        };
        let missing = lost.swap(0, Ordering::Relaxed);
        if missing > 0 && sink(format!("{missing} lines of the log were lost here\n").as_bytes()).is_err() {
            lost.fetch_add(missing + 1, Ordering::Relaxed);
        } else if sink(&line).is_err() {
            lost.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// No test waits longer.
    const PATIENCE: Duration = Duration::from_secs(30);

    #[test]
    fn a_place_that_holds_up_its_writer_costs_lines_which_are_counted_and_no_time() {
        let (open, closed) = mpsc::sync_channel::<()>(0);
        let taken = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&taken);
        let lane = Lane::start("test", move |line: &[u8]| {
            // Held up until the test opens, then never again.
            let _ = closed.recv();
            written.lock().expect("not poisoned").push(String::from_utf8_lossy(line).into_owned());
            Ok(())
        })
        .expect("starts");
        let n_sent = 3 * LINES_MAX;
        for at in 0..n_sent {
            lane.send(format!("line {at}\n").as_bytes());
        }
        // It waits no longer than it was told, though nothing was written.
        lane.flush(Instant::now());
        // Read before the writer is let go: it takes the count for its notice.
        let lost = lane.lost.load(Ordering::Relaxed);
        drop(open);
        assert!(lost > 0);
        lane.flush(Instant::now() + PATIENCE);
        lane.send(b"last\n");
        lane.flush(Instant::now() + PATIENCE);
        let taken = taken.lock().expect("not poisoned");
        assert!(taken.iter().any(|line| *line == format!("{lost} lines of the log were lost here\n")), "{taken:?}");
        assert_eq!(taken.len() as u64 - 2, n_sent as u64 - lost, "the others are all there");
        assert_eq!(taken.last().map(String::as_str), Some("last\n"));
    }

    #[test]
    fn a_place_that_refuses_costs_lines_and_is_tried_again() {
        let full = Arc::new(AtomicU64::new(1));
        let (taken, is_full) = (Arc::new(Mutex::new(String::new())), Arc::clone(&full));
        let written = Arc::clone(&taken);
        let lane = Lane::start("test", move |line: &[u8]| {
            if is_full.load(Ordering::SeqCst) == 1 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            written.lock().expect("not poisoned").push_str(&String::from_utf8_lossy(line));
            Ok(())
        })
        .expect("starts");
        lane.send(b"one\n");
        lane.send(b"two\n");
        lane.flush(Instant::now() + PATIENCE);
        full.store(0, Ordering::SeqCst);
        lane.send(b"three\n");
        lane.flush(Instant::now() + PATIENCE);
        assert_eq!(*taken.lock().expect("not poisoned"), "2 lines of the log were lost here\nthree\n");
    }
}
