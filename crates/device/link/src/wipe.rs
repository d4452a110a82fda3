//! Memory that holds nothing of what was said once it is given back (SECURITY.md, "Who is held off").
//!
//! A caption passes through buffers of TLS, of the WebSocket and of JSON before it is shown. None of them wipes what it
//! gives back, so it is done where all of them give it back: in the allocator. What they keep and reuse is wiped by
//! [`WipedReads`], before they read into it again.
//!
//! `unsafe` is here because an allocator is: each call is handed on to the system's as it came.
#![expect(unsafe_code, reason = "an allocator; see the module's words")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The system's allocator, which wipes what it takes back.
pub(crate) struct Wiping;

// SAFETY: every call goes to `System` with the layout it came with. A block is written to only in `dealloc`, where it is
// still whole and nobody else's. Growing is the trait's own: a new block, a copy, and `dealloc` of the old one.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is the caller's, whole, and given up with this call.
        unsafe {
            block.write_bytes(0, layout.size());
            // Somebody may look, for all the compiler knows: the zeros are not left out.
            System.dealloc(std::hint::black_box(block), layout);
        }
    }
}

/// A stream whose reader's buffer is wiped before it is read into: what it held was used, or it would not be offered.
#[derive(Debug)]
pub(crate) struct WipedReads<S>(pub(crate) S);

impl<S: AsyncRead + Unpin> AsyncRead for WipedReads<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        buf.initialize_unfilled().fill(0);
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WipedReads<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
