//! Who waits for an engine, and how long: one line for each asker, and each asker in turn.
//!
//! It knows neither threads nor clocks: [`crate::Pool`] tells it the time, and what the work took.

use std::collections::VecDeque;
use std::time::Duration;

/// Whoever asks. The jobs of one asker wait behind each other; several askers take turns, so that one who asks without
/// end waits for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Asker(pub [u8; 16]);

/// What becomes of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is done now, unless its time is over.
    Run,
    /// Others need its room.
    Full,
}

pub(crate) struct Job {
    pub(crate) asker: Asker,
    /// What it keeps in memory while it waits.
    pub(crate) bytes: usize,
    /// Whether nobody waits for it any more.
    pub(crate) is_over: Box<dyn Fn() -> bool + Send>,
    pub(crate) meet: Box<dyn FnOnce(Fate) -> Outcome + Send>,
}

/// What a job says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// It ended badly, or too early to say how long it takes.
    Failed,
    /// It was not begun.
    NotRun,
}

/// The jobs that wait, and how long one takes.
#[derive(Default)]
pub(crate) struct Line {
    /// The askers in the order of their turns, each with at least one job.
    askers: VecDeque<(Asker, VecDeque<Job>)>,
    bytes: usize,
    /// What a job took of late; nothing before the first.
    mean: Option<Duration>,
    /// When those that are being done were begun.
    running: Vec<Duration>,
}

impl Line {
    pub(crate) fn len(&self) -> usize {
        self.askers.iter().map(|(_, jobs)| jobs.len()).sum()
    }

    /// How long a job of `asker` would wait at `now`, done by `threads` at once: what goes before it, in turns, at the
    /// pace of late. A job that takes longer than usual is known to take at least that.
    pub(crate) fn wait(&self, asker: Asker, now: Duration, threads: usize) -> Duration {
        let own = self.askers.iter().find(|(other, _)| *other == asker).map_or(0, |(_, jobs)| jobs.len());
        let before = |(other, jobs): &(Asker, VecDeque<Job>)| {
            if *other == asker { own } else { jobs.len().min(own + 1) }
        };
        let ahead: usize = self.askers.iter().map(before).sum();
        let longest = self.running.iter().map(|begun| now.saturating_sub(*begun)).max().unwrap_or_default();
        let each = self.mean.unwrap_or_default().max(longest);
        // Of those that are being done, one is over when a thread is free again.
        let rounds = (ahead + self.running.len()).saturating_sub(threads.saturating_sub(1)).div_ceil(threads.max(1));
        each.saturating_mul(u32::try_from(rounds).unwrap_or(u32::MAX))
    }

    /// Queues `job`. Where more than `bytes_max` would wait then, the last jobs of whoever has most there make room;
    /// what is returned is to be refused, and may be `job` itself.
    pub(crate) fn push(&mut self, job: Job, bytes_max: usize) -> Vec<Job> {
        let mut refused = Vec::new();
        while bytes_max < self.bytes + job.bytes {
            let of = |jobs: &VecDeque<Job>| jobs.iter().map(|job| job.bytes).sum::<usize>();
            let own = self.askers.iter().find(|(asker, _)| *asker == job.asker).map_or(0, |(_, jobs)| of(jobs));
            let most = (0..self.askers.len()).max_by_key(|at| of(&self.askers[*at].1));
            match most {
                Some(at) if own + job.bytes < of(&self.askers[at].1) => refused.extend(self.take_last(at)),
                _ => {
                    refused.push(job);
                    return refused;
                }
            }
        }
        self.bytes += job.bytes;
        match self.askers.iter_mut().find(|(asker, _)| *asker == job.asker) {
            Some((_, jobs)) => jobs.push_back(job),
            None => self.askers.push_back((job.asker, VecDeque::from([job]))),
        }
        refused
    }

    /// The next job; its asker's next one comes after all others'.
    pub(crate) fn pop(&mut self) -> Option<Job> {
        let (asker, mut jobs) = self.askers.pop_front()?;
        let job = jobs.pop_front()?;
        self.bytes -= job.bytes;
        if !jobs.is_empty() {
            self.askers.push_back((asker, jobs));
        }
        Some(job)
    }

    /// Takes out the jobs for which nobody waits any more.
    pub(crate) fn take_over(&mut self) -> Vec<Job> {
        let mut over = Vec::new();
        for (_, jobs) in &mut self.askers {
            for job in std::mem::take(jobs) {
                if (job.is_over)() {
                    self.bytes -= job.bytes;
                    over.push(job);
                } else {
                    jobs.push_back(job);
                }
            }
        }
        self.askers.retain(|(_, jobs)| !jobs.is_empty());
        over
    }

    pub(crate) fn begun(&mut self, now: Duration) {
        self.running.push(now);
    }

    /// A job that was begun at `begun` is over. One that failed says only that it would have taken longer.
    pub(crate) fn ended(&mut self, begun: Duration, now: Duration, outcome: Outcome) {
        if let Some(at) = self.running.iter().position(|running| *running == begun) {
            self.running.swap_remove(at);
        }
        let took = now.saturating_sub(begun);
        let mean = self.mean.unwrap_or(took);
        match outcome {
            Outcome::Done => self.mean = Some((mean * 3 + took) / 4),
            Outcome::Failed if mean < took => self.mean = Some(took),
            Outcome::Failed | Outcome::NotRun => {}
        }
    }

    fn take_last(&mut self, at: usize) -> Option<Job> {
        let (_, jobs) = self.askers.get_mut(at)?;
        let job = jobs.pop_back()?;
        if jobs.is_empty() {
            self.askers.remove(at);
        }
        self.bytes -= job.bytes;
        Some(job)
    }
}
