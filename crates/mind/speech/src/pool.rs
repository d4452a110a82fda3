//! A few threads and those who wait for them: what the engines' work is done on.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::{Clock, Redacted};

use crate::line::{Fate, Job, Line, Outcome};
use crate::ticket::{Ticket, ticket};
use crate::{Asker, Deadline, Pcm, Recognition, Recognizer, SpeechError, Synthesizer};

/// The size of a pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolConfig {
    /// What its threads are called; systems show fifteen letters of it.
    pub name: &'static str,
    /// How many jobs run at once.
    pub threads: usize,
    /// How long a job may have to wait, judged when it comes by how long jobs took of late.
    pub wait_max: Duration,
    /// What waits takes at most so much memory.
    pub bytes_max: usize,
}

impl PoolConfig {
    /// No machine that this runs on has more cores to spare.
    const THREADS_MAX: usize = 256;
}

/// Threads that take jobs in turns, one of each asker. A job that would wait for too long is turned away at once, and
/// where memory is short, the last ones of whoever has most. A job that panics is answered with an error, and its thread
/// goes on.
///
/// Dropping a pool turns away what still waits; what runs is finished, or ended by its deadline.
pub struct Pool {
    shared: Arc<Shared>,
    config: PoolConfig,
}

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Queue {
    line: Line,
    is_closed: bool,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("waiting", &self.shared.lock().line.len()).finish_non_exhaustive()
    }
}

impl Pool {
    /// Starts the threads; at least one, whatever is asked for.
    ///
    /// # Errors
    ///
    /// Where the system gives no more threads.
    pub fn start(config: PoolConfig, clock: Arc<dyn Clock>) -> Result<Self, SpeechError> {
        let config = PoolConfig { threads: config.threads.clamp(1, PoolConfig::THREADS_MAX), ..config };
        let shared = Arc::new(Shared { queue: Mutex::default(), changed: Condvar::new(), clock });
        // Should one fail to start, dropping this ends those that did.
        let pool = Self { shared, config };
        for _ in 0..config.threads {
            let shared = Arc::clone(&pool.shared);
            let thread = std::thread::Builder::new().name(config.name.to_owned()).spawn(move || shared.work());
            thread.map_err(|source| SpeechError::NoThread { source })?;
        }
        Ok(pool)
    }

    /// Queues `job` of `asker`, which keeps so many `bytes` while it waits, and is given the deadline to ask now and then.
    /// Never waits: a line that is too long is an answer too.
    pub fn submit<T, F>(&self, asker: Asker, bytes: usize, within: Duration, job: F) -> Ticket<T>
    where
        T: Send + 'static,
        F: FnOnce(&Deadline) -> Result<T, SpeechError> + Send + 'static,
    {
        let PoolConfig { threads, wait_max, bytes_max, .. } = self.config;
        let deadline = Deadline::within(Arc::clone(&self.shared.clock), within);
        let (answer, ticket) = ticket(within, deadline.give_up());
        let mut queue = self.shared.lock();
        let over = queue.line.take_over();
        let wait = queue.line.wait(asker, self.shared.clock.elapsed(), threads);
        let wait_max = wait_max.min(within);
        if wait_max < wait {
            drop(queue);
            answer.give(Err(SpeechError::Overloaded { wait, wait_max }));
            refuse(over, Fate::Run);
            return ticket;
        }
        let is_over = {
            let deadline = deadline.clone();
            Box::new(move || deadline.has_passed())
        };
        let meet = Box::new(move |fate| {
            if fate == Fate::Full {
                answer.give(Err(SpeechError::Full { bytes_max }));
                return Outcome::NotRun;
            }
            if deadline.has_passed() {
                answer.give(Err(SpeechError::Late { within }));
                return Outcome::NotRun;
            }
            let result = catch_unwind(AssertUnwindSafe(|| job(&deadline))).unwrap_or(Err(SpeechError::Panicked));
            let outcome = if result.is_ok() { Outcome::Done } else { Outcome::Failed };
            answer.give(result);
            outcome
        });
        let full = queue.line.push(Job { asker, bytes, is_over, meet }, bytes_max);
        drop(queue);
        self.shared.changed.notify_one();
        refuse(over, Fate::Run);
        refuse(full, Fate::Full);
        ticket
    }
}

/// Answers jobs that are not to be done, outside the lock. Those whose time is over say so themselves.
fn refuse(jobs: Vec<Job>, fate: Fate) {
    for job in jobs {
        (job.meet)(fate);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.is_closed = true;
        let turned_away = std::mem::take(&mut queue.line);
        drop(queue);
        self.shared.changed.notify_all();
        // Each is answered as it is dropped, outside the lock.
        drop(turned_away);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The life of a thread.
    fn work(&self) {
        while let Some((job, begun)) = self.next() {
            let outcome = (job.meet)(Fate::Run);
            let now = self.clock.elapsed();
            self.lock().line.ended(begun, now, outcome);
        }
    }

    /// The next job, and when it is begun; none once the pool has closed. Waiting here for ever is being idle.
    fn next(&self) -> Option<(Job, Duration)> {
        let mut queue = self.lock();
        loop {
            if queue.is_closed {
                return None;
            }
            if let Some(job) = queue.line.pop() {
                let begun = self.clock.elapsed();
                queue.line.begun(begun);
                return Some((job, begun));
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A recogniser on a pool.
pub struct RecognizerPool {
    pool: Pool,
    recognizer: Arc<dyn Recognizer>,
}

impl RecognizerPool {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// Where the system gives no more threads.
    pub fn start(
        recognizer: Arc<dyn Recognizer>,
        config: PoolConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SpeechError> {
        Ok(Self { pool: Pool::start(config, clock)?, recognizer })
    }

    /// Has `pcm` (16 kHz, one channel) written down. The answer comes soon after `within` at the latest.
    pub fn recognize(&self, asker: Asker, pcm: Redacted<Vec<i16>>, within: Duration) -> Ticket<Recognition> {
        let recognizer = Arc::clone(&self.recognizer);
        let bytes = size_of_val(pcm.expose().as_slice());
        self.pool.submit(asker, bytes, within, move |deadline| recognizer.recognize(pcm.expose(), deadline))
    }
}

impl fmt::Debug for RecognizerPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecognizerPool").field("pool", &self.pool).finish_non_exhaustive()
    }
}

/// A voice on a pool.
pub struct SpeakerPool {
    pool: Pool,
    synthesizer: Arc<dyn Synthesizer>,
}

impl SpeakerPool {
    /// Starts the threads.
    ///
    /// # Errors
    ///
    /// Where the system gives no more threads.
    pub fn start(
        synthesizer: Arc<dyn Synthesizer>,
        config: PoolConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SpeechError> {
        Ok(Self { pool: Pool::start(config, clock)?, synthesizer })
    }

    /// Has `text` spoken. A text whose turn comes after `within` stays unspoken; one that is being spoken ends by the
    /// engine's own deadline.
    pub fn speak(&self, asker: Asker, text: Redacted<String>, within: Duration) -> Ticket<Pcm> {
        let synthesizer = Arc::clone(&self.synthesizer);
        let bytes = text.expose().len();
        self.pool.submit(asker, bytes, within, move |_| synthesizer.speak(&text))
    }
}

impl fmt::Debug for SpeakerPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpeakerPool").field("pool", &self.pool).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
