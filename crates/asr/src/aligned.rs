//! Bytes that begin on a cache line.

/// Bytes of a line.
const LINE: usize = 64;

/// Bytes that begin on a cache line, so that a vector load of a panel's group never touches two.
pub(crate) struct AlignedBytes {
    buffer: Vec<u8>,
    start: usize,
    len: usize,
}

impl AlignedBytes {
    /// `len` zeros.
    pub(crate) fn zeros(len: usize) -> Self {
        let buffer = vec![0; len + LINE];
        let start = buffer.as_ptr().align_offset(LINE).min(LINE);
        Self { buffer, start, len }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.buffer[self.start..self.start + self.len]
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.buffer[self.start..self.start + self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_begin_on_a_line() {
        for len in [0, 1, 63, 4_096, 1 << 20] {
            let mut bytes = AlignedBytes::zeros(len);
            assert_eq!((bytes.as_slice().as_ptr() as usize % LINE, bytes.as_mut_slice().len()), (0, len));
        }
    }
}
