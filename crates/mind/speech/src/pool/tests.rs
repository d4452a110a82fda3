use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};

use base::{SetClock, Timestamp};

use super::*;

const LONG: Duration = Duration::from_secs(60);

fn clock() -> Arc<SetClock> {
    Arc::new(SetClock::new(Timestamp::from_unix_ms(0)))
}

const ME: Asker = Asker([1; 16]);

fn pool(threads: usize, clock: &Arc<SetClock>) -> Pool {
    sized(threads, LONG, clock)
}

/// With a kilobyte for what waits.
fn sized(threads: usize, wait_max: Duration, clock: &Arc<SetClock>) -> Pool {
    let config = PoolConfig { name: "test", threads, wait_max, bytes_max: 1_024 };
    Pool::start(config, Arc::<SetClock>::clone(clock)).expect("there are threads")
}

/// A job that says when it has begun and ends when it is told to.
fn held(pool: &Pool) -> (Ticket<()>, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (begin, begun) = mpsc::channel();
    let (end, ended) = mpsc::channel::<()>();
    let ticket = pool.submit(ME, 1, LONG, move |_| {
        let _ = begin.send(());
        let _ = ended.recv_timeout(LONG);
        Ok(())
    });
    (ticket, begun, end)
}

#[test]
fn every_job_is_answered_with_its_own_result() {
    let pool = pool(3, &clock());
    let tickets: Vec<_> = (0..100).map(|i| pool.submit(ME, 1, LONG, move |_| Ok(i))).collect();
    for (i, ticket) in tickets.into_iter().enumerate() {
        assert_eq!(ticket.wait().expect("it is answered"), i);
    }
}

/// Lets the pool see that a job takes `took`.
fn measured(pool: &Pool, clock: &Arc<SetClock>, took: Duration) {
    let clock = Arc::clone(clock);
    let job = move |_: &Deadline| {
        clock.advance(took);
        Ok(())
    };
    pool.submit(ME, 1, LONG, job).wait().expect("it is done");
    // The thread writes down how long it took before it takes another.
    pool.submit(ME, 1, LONG, |_| Ok(())).wait().expect("it is done");
}

#[test]
fn ten_and_twenty_who_ask_at_once_are_all_answered_where_each_takes_little() {
    for askers in [10, 20] {
        let clock = clock();
        let pool = sized(1, Duration::from_secs(8), &clock);
        measured(&pool, &clock, Duration::from_millis(20));
        let (first, begun, end) = held(&pool);
        begun.recv_timeout(LONG).expect("it begins");
        let waiting: Vec<_> = (0..askers).map(|n| pool.submit(Asker([n; 16]), 1, LONG, move |_| Ok(n))).collect();
        drop(end);
        first.wait().expect("it is done");
        for (n, ticket) in waiting.into_iter().enumerate() {
            assert_eq!(usize::from(ticket.wait().expect("its turn came")), n);
        }
    }
}

#[test]
fn who_would_wait_too_long_is_told_so_at_once() {
    let clock = clock();
    let pool = sized(1, Duration::from_secs(8), &clock);
    // Nothing is known yet but that the one who is in there has been for nine seconds.
    let (first, begun, end) = held(&pool);
    begun.recv_timeout(LONG).expect("it begins");
    clock.advance(Duration::from_secs(9));
    let refused = pool.submit(Asker([2; 16]), 1, LONG, |_| Ok(())).wait();
    assert!(matches!(refused, Err(SpeechError::Overloaded { .. })), "{refused:?}");
    drop(end);
    first.wait().expect("it is done");
    // From here on, one takes nine seconds: nobody waits for two, and who has less time waits for none.
    pool.submit(ME, 1, LONG, |_| Ok(())).wait().expect("it is done");
}

#[test]
fn the_wait_is_judged_by_how_long_the_last_ones_took() {
    let (clock, mut line) = (clock(), Line::default());
    let job = |asker| Job { asker, bytes: 1, is_over: Box::new(|| false), meet: Box::new(|_| Outcome::Done) };
    let (other, second) = (Asker([2; 16]), Duration::from_secs(1));
    line.begun(Duration::ZERO);
    line.ended(Duration::ZERO, 5 * second, Outcome::Done);
    clock.advance(5 * second);
    let now = clock.elapsed();
    assert_eq!(line.wait(ME, now, 1), Duration::ZERO, "nobody is before it");
    line.begun(now);
    assert_eq!(line.wait(ME, now, 1), 5 * second);
    (0..3).for_each(|_| assert!(line.push(job(ME), 1_024).is_empty()));
    assert_eq!(line.wait(ME, now, 1), 20 * second, "one that is being done, and three of its own");
    assert_eq!(line.wait(other, now, 1), 10 * second, "one that is being done, and one of who came first");
    assert_eq!(line.wait(other, now, 2), 5 * second, "two at a time");
    assert_eq!(line.wait(other, now + 7 * second, 1), 14 * second, "this one takes seven already");
    line.ended(now, now + second, Outcome::Done);
    assert_eq!(line.wait(other, now, 1), 4 * second, "it becomes quicker by and by");
    line.begun(now);
    line.ended(now, now + second, Outcome::Failed);
    assert_eq!(line.wait(other, now, 1), 4 * second, "who gives up early does not make it quick");
}

#[test]
fn who_asks_without_end_waits_for_itself_alone() {
    let clock = clock();
    let pool = sized(1, Duration::from_secs(8), &clock);
    measured(&pool, &clock, Duration::from_secs(1));
    let (first, begun, end) = held(&pool);
    begun.recv_timeout(LONG).expect("it begins");
    let (done, order) = mpsc::channel();
    let ask = |asker: u8| {
        let done = done.clone();
        pool.submit(Asker([asker; 16]), 1, LONG, move |_| {
            let _ = done.send(asker);
            Ok(())
        })
    };
    let flood: Vec<_> = (0..100).map(|_| ask(9)).collect();
    let others: Vec<_> = (2..6).map(ask).collect();
    drop(end);
    first.wait().expect("it is done");
    let answered = |tickets: Vec<Ticket<()>>| tickets.into_iter().map(Ticket::wait).filter(Result::is_ok).count();
    assert_eq!(answered(others), 4, "all others are answered");
    let flooding = answered(flood);
    assert!((1..=12).contains(&flooding), "{flooding} of the flood");
    let order: Vec<u8> = order.try_iter().take(5).collect();
    assert_eq!(order, [9, 2, 3, 4, 5], "in turns");
}

#[test]
fn where_memory_is_short_who_has_most_makes_room() {
    let clock = clock();
    let pool = pool(1, &clock);
    let (first, begun, end) = held(&pool);
    begun.recv_timeout(LONG).expect("it begins");
    let greedy: Vec<_> = (0..11).map(|_| pool.submit(Asker([9; 16]), 100, LONG, |_| Ok(()))).collect();
    let other = pool.submit(Asker([2; 16]), 300, LONG, |_| Ok(()));
    drop(end);
    first.wait().expect("it is done");
    other.wait().expect("there is room for it");
    let results: Vec<_> = greedy.into_iter().map(Ticket::wait).collect();
    assert!(results[..7].iter().all(Result::is_ok), "{results:?}");
    assert!(results[7..].iter().all(|result| matches!(result, Err(SpeechError::Full { .. }))), "{results:?}");
}

#[test]
fn who_has_gone_does_not_count() {
    let clock = clock();
    let pool = pool(1, &clock);
    let (first, begun, end) = held(&pool);
    begun.recv_timeout(LONG).expect("it begins");
    drop(pool.submit(ME, 1_024, LONG, |_| Ok(())));
    let next = pool.submit(ME, 1_024, LONG, |_| Ok(()));
    drop(end);
    first.wait().expect("it is done");
    next.wait().expect("there is room for it");
}

#[test]
fn a_panic_is_an_error_and_the_thread_goes_on() {
    let pool = pool(1, &clock());
    let outcome = pool.submit(ME, 1, LONG, |_| -> Result<(), SpeechError> { panic!("on purpose") }).wait();
    assert!(matches!(outcome, Err(SpeechError::Panicked)), "{outcome:?}");
    assert_eq!(pool.submit(ME, 1, LONG, |_| Ok(1)).wait().expect("the thread lives"), 1);
}

#[test]
fn a_job_whose_time_is_over_is_not_begun() {
    let clock = clock();
    let pool = pool(1, &clock);
    let (first, begun, end) = held(&pool);
    begun.recv_timeout(LONG).expect("it begins");
    let ran = Arc::new(AtomicBool::new(false));
    let runs = Arc::clone(&ran);
    let second = pool.submit(ME, 1, Duration::from_secs(2), move |_| {
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
    let pool = pool(1, &clock());
    let (told, tell) = mpsc::channel();
    let (begin, begun) = mpsc::channel();
    let ticket = pool.submit(ME, 1, LONG, move |deadline| {
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
    let pool = pool(1, &clock());
    let (end, ended) = mpsc::channel::<()>();
    let ticket = pool.submit(ME, 1, Duration::from_millis(20), move |_| {
        let _ = ended.recv_timeout(LONG);
        Ok(())
    });
    assert!(matches!(ticket.wait(), Err(SpeechError::Late { .. })));
    drop(end);
}

#[test]
fn a_pool_that_goes_answers_what_waits() {
    let pool = pool(1, &clock());
    let (first, begun, end) = held(&pool);
    begun.recv_timeout(LONG).expect("it begins");
    let waiting = pool.submit(ME, 1, LONG, |_| Ok(()));
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
    let pool = pool(1, &clock());
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
