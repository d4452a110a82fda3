//! CTranslate2's `model.bin`: a header and a list of named arrays.
//!
//! ```text
//! u32 version of the container (6) · text "WhisperSpec" · u32 revision · u32 number of arrays
//! each array: text name · u8 rank · u32 × rank dimensions · u8 kind · u32 bytes · the bytes
//! u32 number of aliases; each: text new name · text name of an array
//! text: u16 length, with the zero byte that ends it
//! ```
//!
//! All little-endian. The reader copies nothing and trusts nothing: each length is checked against what is left.

use std::collections::BTreeMap;

use crate::AsrError;

/// The container's version that is understood.
const VERSION: u32 = 6;
const SPEC: &str = "WhisperSpec";

const N_ARRAYS_MAX: u32 = 4_096;
const RANK_MAX: u8 = 4;
const NAME_BYTES_MAX: usize = 256;

/// The kinds of number that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// 32-bit floating point.
    F32,
    /// 16-bit floating point.
    F16,
    /// Integers and others, by their code and size in bytes: carried, not read as weights.
    Other(u8, usize),
}

impl Numbers {
    fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::F32),
            4 => Some(Self::F16),
            1 => Some(Self::Other(code, 1)),
            2 | 5 => Some(Self::Other(code, 2)),
            3 => Some(Self::Other(code, 4)),
            _ => None,
        }
    }

    const fn n_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
            Self::Other(_, n_bytes) => n_bytes,
        }
    }
}

/// One array: its shape, and its numbers as they lie in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Array<'a> {
    /// Its dimensions; none for a single number.
    pub shape: Vec<usize>,
    /// What its numbers are.
    pub numbers: Numbers,
    /// The numbers, little-endian, as many as the shape says.
    pub bytes: &'a [u8],
}

/// The arrays of a model file by their names.
#[derive(Debug)]
pub struct ModelFile<'a> {
    arrays: BTreeMap<&'a str, Array<'a>>,
    aliases: BTreeMap<&'a str, &'a str>,
}

impl<'a> ModelFile<'a> {
    /// Reads the list of arrays.
    ///
    /// # Errors
    ///
    /// Where the file is cut short, of another kind or version, contradicts itself, or has bytes behind its end.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, AsrError> {
        let mut reader = Reader { rest: bytes };
        if reader.u32()? != VERSION {
            return Err(AsrError::NotAModel("its version is not 6"));
        }
        if reader.text()? != SPEC {
            return Err(AsrError::NotAModel("it is for another model"));
        }
        let _revision = reader.u32()?;
        let n_arrays = reader.count()?;
        let mut arrays = BTreeMap::new();
        for _ in 0..n_arrays {
            let name = reader.text()?;
            if arrays.insert(name, reader.array()?).is_some() {
                return Err(AsrError::BadArray { name: name.to_owned(), reason: "is there twice" });
            }
        }
        let mut aliases = BTreeMap::new();
        for _ in 0..reader.count()? {
            aliases.insert(reader.text()?, reader.text()?);
        }
        if reader.rest.is_empty() {
            Ok(Self { arrays, aliases })
        } else {
            Err(AsrError::NotAModel("it has bytes behind its end"))
        }
    }

    /// Every array with its name, in the order of the names.
    pub fn arrays(&self) -> impl Iterator<Item = (&'a str, &Array<'a>)> {
        self.arrays.iter().map(|(name, array)| (*name, array))
    }

    /// The array of this name, or the one that an alias of this name means.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Array<'a>> {
        self.arrays.get(name).or_else(|| self.arrays.get(self.aliases.get(name)?))
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, n_bytes: usize) -> Result<&'a [u8], AsrError> {
        let (taken, rest) = self.rest.split_at_checked(n_bytes).ok_or(AsrError::CutShort)?;
        self.rest = rest;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], AsrError> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(AsrError::CutShort)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn u8(&mut self) -> Result<u8, AsrError> {
        self.fixed().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Result<u32, AsrError> {
        self.fixed().map(u32::from_le_bytes)
    }

    fn usize(&mut self) -> Result<usize, AsrError> {
        usize::try_from(self.u32()?).map_err(|_| AsrError::CutShort)
    }

    fn count(&mut self) -> Result<u32, AsrError> {
        let count = self.u32()?;
        if count <= N_ARRAYS_MAX { Ok(count) } else { Err(AsrError::NotAModel("it states too many arrays")) }
    }

    fn text(&mut self) -> Result<&'a str, AsrError> {
        let n_bytes = usize::from(u16::from_le_bytes(self.fixed()?));
        if NAME_BYTES_MAX < n_bytes {
            return Err(AsrError::NotAModel("a name is too long"));
        }
        let bytes = self.take(n_bytes)?.strip_suffix(&[0]).ok_or(AsrError::NotAModel("a name does not end"))?;
        std::str::from_utf8(bytes).map_err(|_| AsrError::NotAModel("a name is not text"))
    }

    fn array(&mut self) -> Result<Array<'a>, AsrError> {
        let rank = self.u8()?;
        if RANK_MAX < rank {
            return Err(AsrError::NotAModel("an array has too many dimensions"));
        }
        let shape = (0..rank).map(|_| self.usize()).collect::<Result<Vec<_>, _>>()?;
        let numbers = Numbers::from_code(self.u8()?).ok_or(AsrError::NotAModel("an array is of an unknown kind"))?;
        let n_bytes = self.usize()?;
        let expected = shape.iter().try_fold(numbers.n_bytes(), |product, n| product.checked_mul(*n));
        if expected != Some(n_bytes) {
            return Err(AsrError::NotAModel("an array's size contradicts its shape"));
        }
        Ok(Array { shape, numbers, bytes: self.take(n_bytes)? })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> Vec<u8> {
        let n_bytes = u16::try_from(text.len() + 1).expect("a short text");
        [&n_bytes.to_le_bytes()[..], text.as_bytes(), &[0]].concat()
    }

    /// A file with these arrays, each (name, shape, kind, bytes), and one alias.
    pub(crate) fn file(arrays: &[(&str, Vec<u32>, u8, Vec<u8>)], alias: (&str, &str)) -> Vec<u8> {
        let mut bytes = [&6_u32.to_le_bytes()[..], &text(SPEC), &3_u32.to_le_bytes()].concat();
        bytes.extend((arrays.len() as u32).to_le_bytes());
        for (name, shape, kind, data) in arrays {
            bytes.extend(text(name));
            bytes.push(shape.len() as u8);
            bytes.extend(shape.iter().flat_map(|n| n.to_le_bytes()));
            bytes.push(*kind);
            bytes.extend((data.len() as u32).to_le_bytes());
            bytes.extend(data);
        }
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend([text(alias.0), text(alias.1)].concat());
        bytes
    }

    fn small() -> Vec<u8> {
        file(&[("a", vec![2, 1], 4, vec![0, 0x3c, 0, 0x40]), ("n", vec![], 2, vec![6, 0])], ("b", "a"))
    }

    #[test]
    fn arrays_are_found_by_name_and_by_alias() {
        let bytes = small();
        let model = ModelFile::parse(&bytes).expect("it is well formed");
        let a = model.get("a").expect("it is there");
        assert_eq!((a.shape.as_slice(), a.numbers, a.bytes.len()), (&[2, 1][..], Numbers::F16, 4));
        assert_eq!(model.get("b"), Some(a));
        assert_eq!(model.get("n").map(|n| n.numbers), Some(Numbers::Other(2, 2)));
        assert!(model.get("c").is_none());
    }

    #[test]
    fn a_file_cut_anywhere_or_with_a_tail_is_refused() {
        let bytes = small();
        for cut in 0..bytes.len() {
            assert!(ModelFile::parse(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        assert!(ModelFile::parse(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn a_shape_that_overflows_is_refused() {
        let huge = file(&[("a", vec![u32::MAX; 4], 0, vec![])], ("b", "a"));
        assert!(matches!(ModelFile::parse(&huge), Err(AsrError::NotAModel(_))));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = ModelFile::parse(&bytes);
        }

        #[test]
        fn no_changed_bytes_make_it_panic(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6)) {
            let mut bytes = small();
            let n_bytes = bytes.len();
            for (at, byte) in changes {
                bytes[at % n_bytes] = byte;
            }
            let _ = ModelFile::parse(&bytes);
        }
    }
}
