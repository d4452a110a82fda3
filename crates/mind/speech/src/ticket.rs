//! An answer that is still to come.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::SpeechError;

/// An answer that a pool owes: a future for any runtime, or [`Ticket::wait`] without one.
///
/// It is always answered: with the result, or with why there is none. Dropping it tells the work to end early.
#[derive(Debug)]
#[must_use = "dropping a ticket ends the work"]
pub struct Ticket<T> {
    place: Arc<Place<T>>,
    give_up: Arc<AtomicBool>,
    within: Duration,
}

#[derive(Debug)]
struct Place<T> {
    state: Mutex<State<T>>,
    answered: Condvar,
}

#[derive(Debug)]
enum State<T> {
    Open(Option<Waker>),
    Answered(Result<T, SpeechError>),
    Taken,
}

/// The side that answers. Dropped without an answer, it says that the pool has closed.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    place: Arc<Place<T>>,
}

/// A ticket and what answers it; `give_up` is set when the ticket goes.
pub(crate) fn ticket<T>(within: Duration, give_up: Arc<AtomicBool>) -> (Answer<T>, Ticket<T>) {
    let place = Arc::new(Place { state: Mutex::new(State::Open(None)), answered: Condvar::new() });
    (Answer { place: Arc::clone(&place) }, Ticket { place, give_up, within })
}

impl<T> Place<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first answer counts.
    fn answer(&self, answer: Result<T, SpeechError>) {
        let mut state = self.lock();
        if !matches!(*state, State::Open(_)) {
            return;
        }
        let before = std::mem::replace(&mut *state, State::Answered(answer));
        drop(state);
        self.answered.notify_all();
        if let State::Open(Some(waker)) = before {
            waker.wake();
        }
    }
}

impl<T> Answer<T> {
    pub(crate) fn give(self, answer: Result<T, SpeechError>) {
        self.place.answer(answer);
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        self.place.answer(Err(SpeechError::Closed));
    }
}

impl<T> Ticket<T> {
    /// Blocks until the answer is there, or as long as was given for it.
    ///
    /// # Errors
    ///
    /// What the work ended with, or [`SpeechError::Late`].
    pub fn wait(self) -> Result<T, SpeechError> {
        let start = Instant::now();
        let mut state = self.place.lock();
        loop {
            match std::mem::replace(&mut *state, State::Taken) {
                State::Answered(answer) => return answer,
                open => *state = open,
            }
            let left = self.within.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(SpeechError::Late { within: self.within });
            }
            state = self.place.answered.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl<T> Future for Ticket<T> {
    type Output = Result<T, SpeechError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.place.lock();
        match std::mem::replace(&mut *state, State::Taken) {
            State::Answered(answer) => Poll::Ready(answer),
            State::Open(_) => {
                *state = State::Open(Some(context.waker().clone()));
                Poll::Pending
            }
            // A future that is polled again after its end has no answer left.
            State::Taken => Poll::Ready(Err(SpeechError::Closed)),
        }
    }
}

impl<T> Drop for Ticket<T> {
    fn drop(&mut self) {
        self.give_up.store(true, Ordering::Relaxed);
    }
}
