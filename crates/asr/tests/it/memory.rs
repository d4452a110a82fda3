//! The steps of a search in a warm session ask for no memory: what they need is there from the request before.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use asr::Options;

use super::whisper;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

#[expect(unsafe_code, reason = "an allocator can be made in no other way; it only counts")]
// SAFETY: everything is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are the system's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

#[test]
fn the_steps_of_a_warm_session_allocate_nothing() {
    let Some(whisper) = whisper() else { return };
    let sound: Vec<f32> = (0..32_000).map(|i| (i as f32 * 0.05).sin() * (i as f32 * 0.001).sin() * 0.3).collect();
    let (mut session, mut scores, mut paths, mut two) = (whisper.session(), Vec::new(), Vec::new(), Vec::new());
    let mut few = Vec::new();
    let mut request = |session: &mut asr::Session| {
        // The encoder's products of f32 are the gemm crate's, which takes its own room.
        assert!(whisper.hear(session, &sound, &Options::to_the_end()).expect("it is short"));
        allocations(|| {
            let start = whisper.begin(session, &[]).expect("there is room");
            whisper.extend(session, &[start, start], &[314, 1_000], &mut paths).expect("there is room");
            two.clear();
            two.extend_from_slice(&paths);
            whisper.extend(session, &two, &[11, 12], &mut paths).expect("there is room");
            session.keep(&paths);
            whisper.scores(session, paths[1], &mut scores).expect("its own path");
            whisper.scores_of(session, paths[0], &[5, 6, 7], &mut few).expect("its own path");
        })
    };
    assert!(0 < request(&mut session), "the first one makes room");
    for _ in 0..3 {
        assert_eq!(request(&mut session), 0);
    }
}
