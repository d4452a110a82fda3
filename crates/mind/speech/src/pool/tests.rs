use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};

use base::{SetClock, Timestamp};

use super::*;

const LONG: Duration = Duration::from_secs(60);

fn clock() -> Arc<SetClock> {
    Arc::new(SetClock::new(Timestamp::from_unix_ms(0)))
}

fn pool(threads: usize, queue_max: usize, clock: &Arc<SetClock>) -> Pool {
    let config = PoolConfig { name: "test", threads, queue_max };
    Pool::start(config, Arc::<SetClock>::clone(clock)).expect("there are threads")
}

/// A job that says when it has begun and ends when it is told to.
fn held(pool: &Pool) -> (Ticket<()>, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (begin, begun) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    let ticket = pool.submit(LONG, move |_| {
        let _ = begin.send(());
        let _ = ended.recv_timeout(LONG);
        Ok(())
    });
    (ticket, begun, end)
}

#[test]
fn every_job_is_answered_with_its_own_result() {
    let pool = pool(3, 100, &clock());
    let tickets: Vec<_> = (0..100).map(|i| pool.submit(LONG, move |_| Ok(i))).collect();
    for (i, ticket) in tickets.into_iter().enumerate() {
        assert_eq!(ticket.wait().expect("it is answered"), i);
    }
}

#[test]
fn a_full_queue_turns_away_at_once() {
    let pool = pool(1, 2, &clock());
    let (first, begun, end) = held(&pool);
    begun.recv_timeout(LONG).expect("it begins");
    let waiting = [(); 2].map(|()| pool.submit(LONG, |_| Ok(7)));
    let turned_away = pool.submit(LONG, |_| Ok(7)).wait();
    assert!(matches!(turned_away, Err(SpeechError::Overloaded { queue_max: 2 })), "{turned_away:?}");
    drop(end);
    assert!(first.wait().is_ok());
    for ticket in waiting {
        assert_eq!(ticket.wait().expect("its turn came"), 7);
    }
}

#[test]
fn a_panic_is_an_error_and_the_thread_goes_on() {
    let pool = pool(1, 8, &clock());
    let outcome = pool.submit(LONG, |_| -> Result<(), SpeechError> { panic!("on purpose") }).wait();
    assert!(matches!(outcome, Err(SpeechError::Panicked)), "{outcome:?}");
    assert_eq!(pool.submit(LONG, |_| Ok(1)).wait().expect("the thread lives"), 1);
}

#[test]
fn a_job_whose_time_is_over_is_not_begun() {
    let clock = clock();
    let pool = pool(1, 8, &clock);
    let (first, begun, end) = held(&pool);
    begun.recv_timeout(LONG).expect("it begins");
    let ran = Arc::new(AtomicBool::new(false));
    let runs = Arc::clone(&ran);
    let second = pool.submit(Duration::from_secs(2), move |_| {
        runs.store(true, Ordering::SeqCst);
        Ok(())
    });
    clock.advance(Duration::from_secs(3));
    drop(end);
    assert!(first.wait().is_ok());
    assert!(matches!(second.wait(), Err(SpeechError::Late { .. })));
    assert!(!ran.load(Ordering::SeqCst));
}

#[test]
fn a_ticket_that_goes_ends_the_work() {
    let pool = pool(1, 8, &clock());
    let (told, tell) = mpsc::channel();
    let (begin, begun) = mpsc::channel();
    let ticket = pool.submit(LONG, move |deadline| {
        let _ = begin.send(());
        while !deadline.has_passed() {
            std::thread::yield_now();
        }
        let _ = told.send(());
        Ok(())
    });
    begun.recv_timeout(LONG).expect("it begins");
    drop(ticket);
    tell.recv_timeout(LONG).expect("it has seen that nobody waits");
}

#[test]
fn waiting_ends_when_the_time_is_over_even_if_the_work_does_not() {
    let pool = pool(1, 8, &clock());
    let (end, ended) = mpsc::channel::<()>();
    let ticket = pool.submit(Duration::from_millis(20), move |_| {
        let _ = ended.recv_timeout(LONG);
        Ok(())
    });
    assert!(matches!(ticket.wait(), Err(SpeechError::Late { .. })));
    drop(end);
}

#[test]
fn a_pool_that_goes_answers_what_waits() {
    let pool = pool(1, 8, &clock());
    let (first, begun, end) = held(&pool);
    begun.recv_timeout(LONG).expect("it begins");
    let waiting = pool.submit(LONG, |_| Ok(()));
    drop(pool);
    assert!(matches!(waiting.wait(), Err(SpeechError::Closed)));
    drop(end);
    assert!(first.wait().is_ok());
}

#[test]
fn a_ticket_is_a_future_that_wakes_whoever_awaits_it() {
    struct Count(AtomicUsize, mpsc::Sender<()>);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
            let _ = self.1.send(());
        }
    }
    let pool = pool(1, 8, &clock());
    let (mut ticket, begun, end) = held(&pool);
    begun.recv_timeout(LONG).expect("it begins");
    let (wake, woken) = mpsc::channel();
    let count = Arc::new(Count(AtomicUsize::new(0), wake));
    let waker = Waker::from(Arc::clone(&count));
    let mut poll = || std::pin::Pin::new(&mut ticket).poll(&mut Context::from_waker(&waker));
    assert!(poll().is_pending());
    drop(end);
    woken.recv_timeout(LONG).expect("it is woken");
    assert!(matches!(poll(), Poll::Ready(Ok(()))));
    assert!(matches!(poll(), Poll::Ready(Err(SpeechError::Closed))));
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
}
