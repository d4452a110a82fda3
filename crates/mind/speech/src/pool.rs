//! A few threads and a short queue: what the engines' work is done on.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base::{Clock, Redacted};

use crate::ticket::{Ticket, ticket};
use crate::{Deadline, Pcm, Recognition, Recognizer, SpeechError, Synthesizer};

/// The size of a pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolConfig {
    /// What its threads are called; systems show fifteen letters of it.
    pub name: &'static str,
    /// How many jobs run at once.
    pub threads: usize,
    /// How many more may wait for their turn.
    pub queue_max: usize,
}

impl PoolConfig {
    /// No machine that this runs on has more cores to spare.
    const THREADS_MAX: usize = 256;
    const QUEUE_MAX: usize = 4_096;
}

type Job = Box<dyn FnOnce() + Send>;

/// Threads that take jobs from a queue. Both are bounded: a job that finds the queue full is turned away at once. A job
/// that panics is answered with an error, and its thread goes on.
///
/// Dropping a pool turns away what still waits; what runs is finished, or ended by its deadline.
pub struct Pool {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    queue_max: usize,
}

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Threads that wait for a job.
    idle: usize,
    is_closed: bool,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("waiting", &self.shared.lock().jobs.len()).finish_non_exhaustive()
    }
}

impl Pool {
    /// Starts the threads; at least one, whatever is asked for.
    ///
    /// # Errors
    ///
    /// Where the system gives no more threads.
    pub fn start(config: PoolConfig, clock: Arc<dyn Clock>) -> Result<Self, SpeechError> {
        let shared = Arc::new(Shared { queue: Mutex::default(), changed: Condvar::new() });
        // Should one fail to start, dropping this ends those that did.
        let pool = Self { shared, clock, queue_max: config.queue_max.min(PoolConfig::QUEUE_MAX) };
        for _ in 0..config.threads.clamp(1, PoolConfig::THREADS_MAX) {
            let shared = Arc::clone(&pool.shared);
            let thread = std::thread::Builder::new().name(config.name.to_owned()).spawn(move || shared.work());
            thread.map_err(|source| SpeechError::NoThread { source })?;
        }
        Ok(pool)
    }

    /// Queues `job`, which is given the deadline to ask now and then. Never waits: a full queue is an answer too.
    pub fn submit<T, F>(&self, within: Duration, job: F) -> Ticket<T>
    where
        T: Send + 'static,
        F: FnOnce(&Deadline) -> Result<T, SpeechError> + Send + 'static,
    {
        let deadline = Deadline::within(Arc::clone(&self.clock), within);
        let (answer, ticket) = ticket(within, deadline.give_up());
        let mut queue = self.shared.lock();
        // What an idle thread is about to take does not wait.
        if self.queue_max + queue.idle <= queue.jobs.len() {
            drop(queue);
            answer.give(Err(SpeechError::Overloaded { queue_max: self.queue_max }));
            return ticket;
        }
        queue.jobs.push_back(Box::new(move || {
            if deadline.has_passed() {
                return answer.give(Err(SpeechError::Late { within }));
            }
            let outcome = catch_unwind(AssertUnwindSafe(|| job(&deadline)));
            answer.give(outcome.unwrap_or(Err(SpeechError::Panicked)));
        }));
        drop(queue);
        self.shared.changed.notify_one();
        ticket
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut queue = self.shared.lock();
        queue.is_closed = true;
        let turned_away = std::mem::take(&mut queue.jobs);
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
        while let Some(job) = self.next() {
            job();
        }
    }

    /// The next job; none once the pool has closed. Waiting here for ever is being idle.
    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        queue.idle += 1;
        loop {
            if queue.is_closed {
                return None;
            }
            if let Some(job) = queue.jobs.pop_front() {
                queue.idle -= 1;
                return Some(job);
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
    pub fn recognize(&self, pcm: Redacted<Vec<i16>>, within: Duration) -> Ticket<Recognition> {
        let recognizer = Arc::clone(&self.recognizer);
        self.pool.submit(within, move |deadline| recognizer.recognize(pcm.expose(), deadline))
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
    pub fn speak(&self, text: Redacted<String>, within: Duration) -> Ticket<Pcm> {
        let synthesizer = Arc::clone(&self.synthesizer);
        self.pool.submit(within, move |_| synthesizer.speak(&text))
    }
}

impl fmt::Debug for SpeakerPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpeakerPool").field("pool", &self.pool).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
