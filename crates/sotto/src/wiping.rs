//! The memory of this process is wiped when it is given back: recordings, transcripts and keys lie in the buffers of many
//! libraries (HTTP, TLS, strings that grew), and what was deleted must not stay in any of them.
//!
//! `unsafe`, because an allocator is: it passes every call on to the system's allocator with the arguments it was given, and
//! before a block is freed, writes zeros to exactly the bytes that the caller owned until then.
#![expect(unsafe_code, reason = "an allocator cannot be written without; see above")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::c_void;

/// The system's allocator, with every block wiped before it is freed.
pub(crate) struct Wiping;

// SAFETY: every block comes from `System` and goes back to it with the layout it came with; nothing is kept in between.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps `alloc`'s contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps `alloc_zeroed`'s contract, which is the same.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller gives `layout.size()` bytes back, which nobody else may touch any more. Unlike a plain write,
        // this one is not left out because the block is freed next (explicit_bzero(3)).
        unsafe { libc::explicit_bzero(block.cast::<c_void>(), layout.size()) };
        // SAFETY: the caller keeps `dealloc`'s contract, which is the same.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Never by the system's own: it may copy a block that it cannot grow in place, and frees the old one as it is.
        // SAFETY: the caller promises that `size`, rounded up to the alignment, does not overflow.
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: as for `alloc`; the caller promises that `size` is not zero.
        let to = unsafe { self.alloc(new) };
        if !to.is_null() {
            // SAFETY: both blocks are at least this long, and two blocks never overlap.
            unsafe { std::ptr::copy_nonoverlapping(block, to, layout.size().min(size)) };
            // SAFETY: `block` came with `layout`, and is the caller's no more.
            unsafe { self.dealloc(block, layout) };
        }
        to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of the block's bytes are still `0xA5`, looked at after it was given back. The first 32 hold what the system's
    /// allocator writes there itself.
    fn left(block: *const u8, size: usize) -> usize {
        // SAFETY: none in general. The page stays mapped, for a neighbour that is alive lies behind the block, and nothing
        // else in this test allocates in between; bytes are read one by one, whatever they are.
        (32..size).filter(|at| unsafe { block.add(*at).read_volatile() } == 0xa5).count()
    }

    #[test]
    fn a_block_is_wiped_before_it_is_given_back_and_where_it_moves() {
        for size in [48_usize, 600, 9_000, 60_000] {
            let layout = Layout::from_size_align(size, 8).expect("a layout");
            // SAFETY: sizes are not zero, and each block goes back once with its layout.
            unsafe {
                let block = Wiping.alloc(layout);
                let neighbour = Wiping.alloc(layout);
                block.write_bytes(0xa5, size);
                let moved = Wiping.realloc(block, layout, 2 * size);
                assert_eq!(left(block, size), 0, "{size} bytes, moved");
                assert!((0..size).all(|at| moved.add(at).read() == 0xa5), "and all of it is in the new block");
                Wiping.dealloc(moved, Layout::from_size_align(2 * size, 8).expect("a layout"));
                Wiping.dealloc(neighbour, layout);
            }
        }
    }
}
