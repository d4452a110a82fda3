//! The file that a model is kept in: weights of 8 bits, laid out as the processor reads them, and all else it needs.
//!
//! ```text
//! "sotto.i8" · u32 version (1) · u32 bytes of the head · u64 bytes of the panels · zeros up to byte 64
//! head:   u32 number of entries; each:
//!         u8 length of its name · name · u8 kind · u32 rows · u32 columns · its data
//!             kind 0, numbers: rows · columns f32
//!             kind 1, matrix:  a f32 scale for each row, rows rounded up to 16; the weights are in the panels
//!             kind 2, text:    rows bytes; columns is 1
//! panels: of each matrix in turn, as `kernel` describes them
//! ```
//!
//! All little-endian. Sizes follow from shapes, hence nothing can overlap or be left out. [`compact`] makes the file from
//! CTranslate2's, the same bytes on every machine; [`CompactFile::read`] trusts nothing in it.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use half::f16;

use crate::AsrError;
use crate::aligned::AlignedBytes;
use crate::kernel::{DEPTH, LANES};
use crate::model_file::{Array, ModelFile, Numbers};
use crate::whisper::ModelBytes;

const MAGIC: [u8; 8] = *b"sotto.i8";
const VERSION: u32 = 1;
const PREAMBLE_BYTES: usize = 64;

/// The names that a model's two texts have.
pub(crate) const CONFIG: &str = "config.json";
pub(crate) const VOCABULARY: &str = "vocabulary";

/// Positions and vocabulary of the largest Whisper are a third of this.
const HEAD_BYTES_MAX: usize = 64 << 20;

/// Weights of Whisper medium are three quarters of this; what is larger is of no use here.
const PANEL_BYTES_MAX: usize = 1 << 30;

const N_ENTRIES_MAX: usize = 4_096;

/// A row of weights is no longer than this: what a sum of 32 bits is sure to hold.
const COLUMNS_MAX: usize = 1 << 16;

/// Makes the compact file of a model's three files. A weight becomes the nearest of 255 steps, by which the largest of its
/// row reaches 127.
///
/// # Errors
///
/// Where a file is not what it should be, with the name of the array and the reason.
pub fn compact(bytes: ModelBytes<'_>) -> Result<Vec<u8>, AsrError> {
    let file = ModelFile::parse(bytes.model)?;
    let (mut head, mut panels) = (Vec::new(), Vec::new());
    let mut n_entries = 2_u32;
    for (name, text) in [(CONFIG, bytes.config), (VOCABULARY, bytes.vocabulary)] {
        entry(&mut head, name, 2, text.len(), 1)?;
        head.extend_from_slice(text);
    }
    for (name, array) in file.arrays() {
        match (array.shape.as_slice(), array.numbers) {
            ([rows, columns], Numbers::F16) if name.ends_with("weight") => {
                entry(&mut head, name, 1, *rows, *columns)?;
                matrix(&halves(name, array)?, *columns, &mut head, &mut panels);
            }
            ([outputs, inputs, taps], Numbers::F16) => {
                entry(&mut head, name, 0, *outputs, inputs * taps)?;
                for row in halves(name, array)?.chunks_exact((inputs * taps).max(1)) {
                    // [out, in, tap] becomes [out, tap, in]: frames that lie side by side are then one row.
                    let moved = (0..inputs * taps).map(|to| row[to % inputs * taps + to / inputs]);
                    head.extend(moved.flat_map(f32::to_le_bytes));
                }
            }
            ([columns], Numbers::F16) | ([_, columns], Numbers::F16) => {
                entry(&mut head, name, 0, array.shape.iter().product::<usize>() / columns.max(&1), *columns)?;
                head.extend(halves(name, array)?.into_iter().flat_map(f32::to_le_bytes));
            }
            ([], Numbers::Other(_, n_bytes)) if n_bytes <= 2 => {
                let number = array.bytes.iter().rev().fold(0_u16, |number, byte| number << 8 | u16::from(*byte));
                entry(&mut head, name, 0, 1, 1)?;
                head.extend(f32::from(number).to_le_bytes());
            }
            // Nothing that recognition uses.
            _ => continue,
        }
        n_entries += 1;
    }
    head.splice(0..0, n_entries.to_le_bytes());
    let head_bytes = u32::try_from(head.len()).ok().filter(|n| *n as usize <= HEAD_BYTES_MAX);
    let head_bytes = head_bytes.ok_or(AsrError::NotAModel("it is too large"))?;
    let mut out =
        [&MAGIC[..], &VERSION.to_le_bytes(), &head_bytes.to_le_bytes(), &(panels.len() as u64).to_le_bytes()]
            .concat();
    out.resize(PREAMBLE_BYTES, 0);
    out.append(&mut head);
    out.append(&mut panels);
    Ok(out)
}

fn entry(head: &mut Vec<u8>, name: &str, kind: u8, rows: usize, columns: usize) -> Result<(), AsrError> {
    let too_large = || AsrError::BadArray { name: name.to_owned(), reason: "is too large" };
    let number = |n: usize| u32::try_from(n).map_err(|_| too_large());
    head.push(u8::try_from(name.len()).map_err(|_| too_large())?);
    head.extend_from_slice(name.as_bytes());
    head.push(kind);
    head.extend(number(rows)?.to_le_bytes());
    head.extend(number(columns)?.to_le_bytes());
    Ok(())
}

/// The numbers of an f16 array, all of them finite.
fn halves(name: &str, array: &Array<'_>) -> Result<Vec<f32>, AsrError> {
    let bits = array.bytes.as_chunks::<2>().0.iter().map(|pair| f16::from_le_bytes(*pair).to_f32());
    let numbers: Vec<f32> = bits.collect();
    if numbers.iter().all(|number| number.is_finite()) {
        Ok(numbers)
    } else {
        Err(AsrError::BadArray { name: name.to_owned(), reason: "has values that are not numbers" })
    }
}

/// Appends the scales and the panels of a matrix.
fn matrix(weights: &[f32], columns: usize, head: &mut Vec<u8>, panels: &mut Vec<u8>) {
    let n_groups = columns.div_ceil(DEPTH);
    for panel in weights.chunks((LANES * columns).max(1)) {
        let at = panels.len();
        panels.resize(at + n_groups * LANES * DEPTH, 0);
        let mut scales = [0.0_f32; LANES];
        for (lane, (row, scale)) in panel.chunks_exact(columns).zip(&mut scales).enumerate() {
            let largest = row.iter().fold(0.0_f32, |largest, weight| largest.max(weight.abs()));
            *scale = largest / 127.0;
            let steps = if 0.0 < largest { 127.0 / largest } else { 0.0 };
            for (column, weight) in row.iter().enumerate() {
                #[expect(clippy::cast_possible_truncation, reason = "it lies between −127 and 127")]
                let step = (weight * steps).round() as i8;
                let group = at + column / DEPTH * LANES * DEPTH;
                panels[group + lane * DEPTH + column % DEPTH] = step.max(-127).cast_unsigned();
            }
        }
        head.extend(scales.into_iter().flat_map(f32::to_le_bytes));
    }
}

/// An entry of the head: where its data are.
#[derive(Debug)]
pub(crate) enum Entry {
    /// A matrix of f32.
    Numbers { shape: [usize; 2], data: Range<usize> },
    /// A matrix of 8-bit weights: its scales in the head, its groups in the panels.
    Matrix { shape: [usize; 2], scales: Range<usize>, panels: Range<usize> },
    /// Text.
    Text(Range<usize>),
}

/// A model that was read: its head, to be taken apart, and its panels, to be kept.
pub(crate) struct CompactFile {
    pub(crate) head: Vec<u8>,
    pub(crate) panels: Arc<AlignedBytes>,
    pub(crate) entries: BTreeMap<String, Entry>,
}

impl CompactFile {
    /// Reads a file to its end, never more than its first bytes announce.
    pub(crate) fn read(from: &mut dyn Read) -> Result<Self, AsrError> {
        let mut preamble = [0; PREAMBLE_BYTES];
        from.read_exact(&mut preamble).map_err(unread)?;
        let mut reader = Reader { bytes: &preamble, at: 0 };
        if reader.fixed::<8>()? != MAGIC || reader.u32()? != VERSION as usize {
            return Err(AsrError::NotAModel("it is not a compact file of version 1"));
        }
        let head_bytes = reader.u32()?;
        let panel_bytes = usize::try_from(u64::from_le_bytes(reader.fixed()?)).unwrap_or(usize::MAX);
        if HEAD_BYTES_MAX < head_bytes || PANEL_BYTES_MAX < panel_bytes {
            return Err(AsrError::NotAModel("it is too large"));
        }
        let mut head = Vec::new();
        from.take(head_bytes as u64).read_to_end(&mut head).map_err(unread)?;
        let entries = entries(&head, panel_bytes)?;
        let mut panels = AlignedBytes::zeros(panel_bytes);
        from.read_exact(panels.as_mut_slice()).map_err(unread)?;
        if from.read(&mut [0]).map_err(unread)? != 0 {
            return Err(AsrError::NotAModel("it has bytes behind its end"));
        }
        // The kernels rely on it.
        if panels.as_slice().contains(&i8::MIN.cast_unsigned()) {
            return Err(AsrError::NotAModel("it has weights out of range"));
        }
        Ok(Self { head, panels: Arc::new(panels), entries })
    }

    /// A text of the head.
    pub(crate) fn text(&self, name: &'static str) -> Result<&[u8], AsrError> {
        match self.entries.get(name) {
            Some(Entry::Text(data)) => Ok(&self.head[data.clone()]),
            _ => Err(AsrError::BadArray { name: name.to_owned(), reason: "is missing" }),
        }
    }
}

fn unread(error: io::Error) -> AsrError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => AsrError::CutShort,
        kind => AsrError::Unread { kind },
    }
}

/// The entries of a head, of which nothing may be left.
fn entries(head: &[u8], panel_bytes: usize) -> Result<BTreeMap<String, Entry>, AsrError> {
    let mut reader = Reader { bytes: head, at: 0 };
    let mut entries = BTreeMap::new();
    let mut panels_at = 0_usize;
    let n_entries = reader.u32()?;
    if N_ENTRIES_MAX < n_entries {
        return Err(AsrError::NotAModel("it states too many arrays"));
    }
    for _ in 0..n_entries {
        let n_bytes = usize::from(reader.fixed::<1>()?[0]);
        let name = std::str::from_utf8(&head[reader.range(n_bytes)?]);
        let name = name.map_err(|_| AsrError::NotAModel("a name is not text"))?.to_owned();
        let [kind] = reader.fixed()?;
        let shape = [reader.u32()?, reader.u32()?];
        let size = |factors: &[usize]| factors.iter().try_fold(1_usize, |product, n| product.checked_mul(*n));
        let [rows, columns] = shape;
        let too_large = || AsrError::NotAModel("an array is too large");
        let entry = match kind {
            0 => Entry::Numbers { shape, data: reader.range(size(&[rows, columns, 4]).ok_or_else(too_large)?)? },
            1 if (1..=COLUMNS_MAX).contains(&columns) => {
                let n_panels = rows.div_ceil(LANES);
                let scales = reader.range(size(&[n_panels, LANES, 4]).ok_or_else(too_large)?)?;
                let bytes = size(&[n_panels, LANES, columns.next_multiple_of(DEPTH)]).ok_or_else(too_large)?;
                let panels = panels_at..panels_at.checked_add(bytes).ok_or_else(too_large)?;
                panels_at = panels.end;
                Entry::Matrix { shape, scales, panels }
            }
            2 => Entry::Text(reader.range(rows)?),
            _ => return Err(AsrError::NotAModel("an array is of an unknown kind")),
        };
        if entries.insert(name.clone(), entry).is_some() {
            return Err(AsrError::BadArray { name, reason: "is there twice" });
        }
    }
    if reader.at == head.len() && panels_at == panel_bytes {
        Ok(entries)
    } else {
        Err(AsrError::NotAModel("its size contradicts its arrays"))
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn range(&mut self, n_bytes: usize) -> Result<Range<usize>, AsrError> {
        let end = self.at.checked_add(n_bytes).filter(|end| *end <= self.bytes.len()).ok_or(AsrError::CutShort)?;
        let range = self.at..end;
        self.at = end;
        Ok(range)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], AsrError> {
        let range = self.range(N)?;
        self.bytes[range].try_into().map_err(|_| AsrError::CutShort)
    }

    fn u32(&mut self) -> Result<usize, AsrError> {
        usize::try_from(u32::from_le_bytes(self.fixed()?)).map_err(|_| AsrError::CutShort)
    }
}

#[cfg(test)]
mod tests;
