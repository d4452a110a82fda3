//! The recogniser as a WebAssembly module without imports: bytes in, words out, through one piece of memory.
//!
//! `cargo build --release -p asr --example browser --target wasm32-unknown-unknown`, then
//! `node crates/asr/tests/browser.mjs MODULE MODEL.i8 SOUND.wav`
#![expect(unsafe_code, reason = "a module's exports have plain names")]

use std::cell::RefCell;

use asr::{Options, Whisper};

struct State {
    memory: Vec<u8>,
    whisper: Option<Whisper>,
}

thread_local! {
    static STATE: RefCell<State> = const { RefCell::new(State { memory: Vec::new(), whisper: None }) };
}

/// Makes the memory `n_bytes` long; the address of its first byte.
#[unsafe(no_mangle)]
pub extern "C" fn room(n_bytes: usize) -> *mut u8 {
    STATE.with_borrow_mut(|state| {
        state.memory.resize(n_bytes, 0);
        state.memory.as_mut_ptr()
    })
}

/// Takes the memory for a compact model file; 1 where it is one.
#[unsafe(no_mangle)]
pub extern "C" fn load() -> u32 {
    STATE.with_borrow_mut(|state| {
        state.whisper = Whisper::read(&mut state.memory.as_slice()).ok();
        state.memory = Vec::new();
        u32::from(state.whisper.is_some())
    })
}

/// Takes the memory for sound, f32 at 16 kHz, and writes the words in their place; how many bytes they have.
#[unsafe(no_mangle)]
pub extern "C" fn hear() -> usize {
    STATE.with_borrow_mut(|state| {
        let sound: Vec<f32> =
            state.memory.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        let heard = state.whisper.as_ref().map(|whisper| whisper.transcribe(&sound, &Options::to_the_end()));
        let text = heard.and_then(Result::ok).map(|heard| heard.text.expose().clone()).unwrap_or_default();
        state.memory = text.into_bytes();
        state.memory.len()
    })
}

/// The address of the memory's first byte, once it holds words.
#[unsafe(no_mangle)]
pub extern "C" fn words() -> *const u8 {
    STATE.with_borrow(|state| state.memory.as_ptr())
}
