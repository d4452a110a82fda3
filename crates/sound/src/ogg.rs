//! Ogg (RFC 3533): packets out of pages, of one stream after another.
//!
//! Recorders that are killed leave no end of a stream and half a page, and files are joined by putting one behind the
//! other: neither is damage.

use std::collections::VecDeque;
use std::io::{BufReader, ErrorKind, Read};

use crate::SoundError;
use crate::file::Source;

/// Bytes of one packet that are kept: sound has at most 61,440 (RFC 6716, 3.4), and of headers only the beginning matters.
const PACKET_BYTES_MAX: usize = 65_536;

/// Bytes between two pages that are passed over in search of the next one.
const BETWEEN_PAGES_MAX: usize = 65_536;

/// Bytes of a page's header before its table.
const HEADER_BYTES: usize = 27;

/// Position of a page on which no packet ends.
pub(crate) const NO_POSITION: u64 = u64::MAX;

/// One packet.
#[derive(Debug)]
pub(crate) struct Packet {
    pub(crate) data: Vec<u8>,
    /// It is the first of a stream.
    pub(crate) is_first: bool,
    /// It is the last of its stream, by the stream's own word.
    pub(crate) is_last: bool,
    /// Which stream it is of, unless two have the same number.
    pub(crate) stream: u32,
    /// Where the sound of its page ends.
    pub(crate) position: u64,
}

/// The packets of a file.
pub(crate) struct Packets {
    name: String,
    source: BufReader<Box<dyn Source>>,
    waiting: VecDeque<Packet>,
    /// The packet that goes on on the next page of that stream.
    begun: Option<(u32, Vec<u8>)>,
    /// The file ends within a page.
    pub(crate) is_cut: bool,
}

struct Page {
    flags: u8,
    position: u64,
    stream: u32,
    table: Vec<u8>,
    body: Vec<u8>,
}

const CONTINUED: u8 = 1;
const FIRST: u8 = 2;
const LAST: u8 = 4;

impl Packets {
    pub(crate) fn new(name: &str, source: Box<dyn Source>) -> Self {
        let source = BufReader::new(source);
        Self { name: name.to_owned(), source, waiting: VecDeque::new(), begun: None, is_cut: false }
    }

    /// The next packet; none at the end of the file.
    pub(crate) fn next(&mut self) -> Result<Option<Packet>, SoundError> {
        loop {
            if let Some(packet) = self.waiting.pop_front() {
                return Ok(Some(packet));
            }
            let Some(page) = self.page()? else { return Ok(None) };
            self.take_apart(&page);
        }
    }

    fn take_apart(&mut self, page: &Page) {
        let (mut rest, mut data) = (&page.body[..], Vec::new());
        let mut is_known = true;
        if page.flags & CONTINUED != 0 {
            match self.begun.take() {
                Some((stream, begun)) if stream == page.stream => data = begun,
                // The page with its beginning is lost: so is the packet.
                _ => is_known = false,
            }
        }
        self.begun = None;
        let mut is_first = page.flags & FIRST != 0;
        for (at, &length) in page.table.iter().enumerate() {
            let (piece, after) = rest.split_at(usize::from(length).min(rest.len()));
            rest = after;
            let room = PACKET_BYTES_MAX.saturating_sub(data.len());
            data.extend(&piece[..piece.len().min(room)]);
            if length == u8::MAX {
                if at + 1 == page.table.len() && is_known {
                    self.begun = Some((page.stream, std::mem::take(&mut data)));
                }
                continue;
            }
            let data = std::mem::take(&mut data);
            if std::mem::replace(&mut is_known, true) {
                let (stream, position) = (page.stream, page.position);
                self.waiting.push_back(Packet { data, is_first, is_last: false, stream, position });
                is_first = false;
            }
        }
        if page.flags & LAST != 0 {
            match self.waiting.back_mut() {
                Some(packet) => packet.is_last = true,
                // The end of a stream on a page of its own.
                None => self.waiting.push_back(Packet {
                    data: Vec::new(),
                    is_first: false,
                    is_last: true,
                    stream: page.stream,
                    position: page.position,
                }),
            }
        }
    }

    /// The next whole page; none at the end of the file, and where the file ends within it.
    fn page(&mut self) -> Result<Option<Page>, SoundError> {
        let mut header = [0; HEADER_BYTES];
        let mut passed = 0;
        if !self.fill(&mut header)? {
            return Ok(None);
        }
        while !header.starts_with(b"OggS") {
            passed += 1;
            if passed > BETWEEN_PAGES_MAX {
                return Err(self.damaged("what lies between two of its pages is none"));
            }
            header.copy_within(1.., 0);
            // Whatever follows the last page is none of ours.
            if !self.fill(&mut header[HEADER_BYTES - 1..])? {
                return Ok(None);
            }
        }
        let mut table = vec![0; usize::from(header[26])];
        let is_there = self.fill(&mut table)?;
        let mut body = vec![0; table.iter().map(|length| usize::from(*length)).sum()];
        if !is_there || !self.fill(&mut body)? {
            self.is_cut = true;
            return Ok(None);
        }
        let wanted = [header[22], header[23], header[24], header[25]];
        header[22..26].fill(0);
        let sum = [&header[..], &table, &body].iter().fold(0, |sum, bytes| checksum(sum, bytes));
        if sum != u32::from_le_bytes(wanted) {
            return Err(self.damaged("a page's checksum is another"));
        }
        let position = u64::from_le_bytes(header[6..14].try_into().unwrap_or_default());
        let stream = u32::from_le_bytes(header[14..18].try_into().unwrap_or_default());
        Ok(Some(Page { flags: header[5], position, stream, table, body }))
    }

    /// Fills `bytes`; `false` where the file ends before.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<bool, SoundError> {
        match self.source.read_exact(bytes) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
            Err(source) => Err(SoundError::Io { name: self.name.clone(), source }),
        }
    }

    fn damaged(&self, reason: &str) -> SoundError {
        SoundError::Damaged { name: self.name.clone(), reason: reason.to_owned() }
    }
}

/// CRC-32 with the polynomial 0x04c11db7, most significant bit first, from zero (RFC 3533, 6).
fn checksum(sum: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(sum, |sum, byte| (sum << 8) ^ TABLE[usize::from((sum >> 24) as u8 ^ byte)])
}

const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 256 {
        let mut sum = (at as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 0x8000_0000 == 0 { sum << 1 } else { (sum << 1) ^ 0x04c1_1db7 };
            bit += 1;
        }
        table[at] = sum;
        at += 1;
    }
    table
};
