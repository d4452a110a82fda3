//! Reads the weights out of an ONNX file: the named float tensors and nothing else. What is computed with them is
//! written in this crate; the file's graph is not run.
//!
//! The format is protocol buffers (`onnx.proto`): a model holds a graph (field 7), a graph holds initial tensors (5) and
//! nodes (1), and a node of a constant holds its tensor in an attribute (5, then 5).

use std::collections::BTreeMap;

use crate::error::EarError;

/// Bytes of a file at most. The largest one read here has 1.3 MB.
pub const FILE_BYTES_MAX: usize = 16 << 20;
/// Float tensors of one file at most.
pub const TENSORS_MAX: usize = 1_024;
/// Dimensions of one tensor at most.
const DIMS_MAX: usize = 8;
/// Bytes of a tensor's name at most.
const NAME_BYTES_MAX: usize = 512;

/// ONNX's number for 32-bit floats.
const FLOAT: u64 = 1;

/// The float tensors of a file by their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensors {
    by_name: BTreeMap<String, Tensor>,
}

#[derive(Clone, Debug, PartialEq)]
struct Tensor {
    dims: Vec<usize>,
    values: Vec<f32>,
}

impl Tensors {
    /// Reads a file's bytes.
    ///
    /// # Errors
    /// Where they are no ONNX file within the limits of this module, or a tensor holds other than as many floats as it
    /// says; `what` names the file in the error.
    pub fn read(what: &'static str, bytes: &[u8]) -> Result<Self, EarError> {
        let mut tensors = Self::default();
        let wrong = |reason: &str| EarError::Model { what, reason: reason.to_owned() };
        if bytes.len() > FILE_BYTES_MAX {
            return Err(wrong("it is larger than any model read here"));
        }
        tensors.model(bytes).map_err(wrong)?;
        Ok(tensors)
    }

    /// Takes the values of the tensor `name`, which must have the shape `dims`, in the file's order: the last dimension
    /// runs fastest.
    ///
    /// # Errors
    /// Where there is none of that name and shape, or not all its values are finite; `what` names the file in the error.
    pub fn take(&mut self, what: &'static str, name: &str, dims: &[usize]) -> Result<Vec<f32>, EarError> {
        match self.by_name.remove(name) {
            Some(tensor) if tensor.dims == dims => {
                // Bounds of a clip may be infinite; weights may not.
                let is_finite = tensor.values.iter().all(|value| value.is_finite());
                let reason = || format!("{name} holds what is no number");
                if is_finite { Ok(tensor.values) } else { Err(EarError::Model { what, reason: reason() }) }
            }
            Some(_) => Err(EarError::Model { what, reason: format!("{name} has another shape than {dims:?}") }),
            None => Err(EarError::Model { what, reason: format!("it has no weights named {name}") }),
        }
    }

    /// How many tensors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    fn model(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        for_each_message(bytes, 7, |graph| {
            let mut fields = Fields(graph);
            while let Some(field) = fields.next()? {
                match field {
                    (5, Value::Bytes(tensor)) => self.tensor(tensor, None)?,
                    (1, Value::Bytes(node)) => self.node(node)?,
                    _ => {}
                }
            }
            Ok(())
        })
    }

    /// A node: where it has a tensor for an attribute, that is a constant under the name of the node's output.
    fn node(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        let mut output = None;
        for_each_message(bytes, 2, |name| {
            output.get_or_insert(name);
            Ok(())
        })?;
        let Some(output) = output else { return Ok(()) };
        for_each_message(bytes, 5, |attribute| {
            for_each_message(attribute, 5, |tensor| self.tensor(tensor, Some(output)))
        })
    }

    fn tensor(&mut self, bytes: &[u8], output: Option<&[u8]>) -> Result<(), &'static str> {
        let (mut dims, mut kind, mut name, mut raw) = (Vec::new(), 0, output.unwrap_or_default(), None);
        let mut fields = Fields(bytes);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Number(dim)) => dims.push(dim),
                (1, Value::Bytes(packed)) => read_packed(packed, &mut dims)?,
                (2, Value::Number(number)) => kind = number,
                (8, Value::Bytes(bytes)) if output.is_none() => name = bytes,
                (9, Value::Bytes(bytes)) => raw = Some(bytes),
                _ => {}
            }
            if dims.len() > DIMS_MAX {
                return Err("a tensor has too many dimensions");
            }
        }
        let (FLOAT, Some(raw)) = (kind, raw) else { return Ok(()) };
        if self.by_name.len() >= TENSORS_MAX || name.len() > NAME_BYTES_MAX {
            return Err("it has more tensors, or longer names, than any model read here");
        }
        let name = std::str::from_utf8(name).map_err(|_| "a tensor's name is no text")?;
        self.by_name.insert(name.to_owned(), Tensor::new(&dims, raw)?);
        Ok(())
    }
}

impl Tensor {
    fn new(dims: &[u64], raw: &[u8]) -> Result<Self, &'static str> {
        const WRONG: &str = "a tensor's values do not fill its shape";
        let dims: Vec<usize> =
            dims.iter().map(|dim| usize::try_from(*dim)).collect::<Result<_, _>>().map_err(|_| WRONG)?;
        let count = dims.iter().try_fold(1_usize, |count, dim| count.checked_mul(*dim)).ok_or(WRONG)?;
        let (values, odd) = raw.as_chunks::<4>();
        if values.len() != count || !odd.is_empty() {
            return Err(WRONG);
        }
        Ok(Self { dims, values: values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect() })
    }
}

/// What one field holds.
enum Value<'b> {
    Number(u64),
    Bytes(&'b [u8]),
    /// A fixed 4 or 8 bytes, which nothing here is.
    Other,
}

/// Walks the fields of one message.
struct Fields<'b>(&'b [u8]);

impl<'b> Fields<'b> {
    /// The next field's number and value, none at the end.
    fn next(&mut self) -> Result<Option<(u64, Value<'b>)>, &'static str> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.bytes(8).map(|_| Value::Other)?,
            2 => {
                let len = usize::try_from(self.varint()?).map_err(|_| CUT)?;
                Value::Bytes(self.bytes(len)?)
            }
            5 => self.bytes(4).map(|_| Value::Other)?,
            _ => return Err("it is no ONNX file"),
        };
        Ok(Some((key >> 3, value)))
    }

    fn bytes(&mut self, len: usize) -> Result<&'b [u8], &'static str> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(CUT)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Seven bits a byte, the lowest first, the last byte without the eighth.
    fn varint(&mut self) -> Result<u64, &'static str> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.bytes(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("it is no ONNX file")
    }
}

const CUT: &str = "it is cut short";

/// Hands `each` every field of that number that holds bytes.
fn for_each_message<'b>(
    bytes: &'b [u8],
    wanted: u64,
    mut each: impl FnMut(&'b [u8]) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        match value {
            Value::Bytes(inner) if number == wanted => each(inner)?,
            Value::Bytes(_) | Value::Number(_) | Value::Other => {}
        }
    }
    Ok(())
}

fn read_packed(bytes: &[u8], numbers: &mut Vec<u64>) -> Result<(), &'static str> {
    let mut fields = Fields(bytes);
    while !fields.0.is_empty() && numbers.len() <= DIMS_MAX {
        numbers.push(fields.varint()?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field of bytes.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let len = u8::try_from(bytes.len()).expect("short");
        [&[number << 3 | 2, len], bytes].concat()
    }

    fn floats(values: &[f32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    /// A model with the tensor "w" of shape [2, 1] and a constant "c" of shape [1].
    fn model() -> Vec<u8> {
        let weights = [&[8, 2, 8, 1, 16, 1][..], &field(8, b"w"), &field(9, &floats(&[1.5, -2.0]))].concat();
        let constant = [field(1, &[1]), vec![16, 1], field(9, &floats(&[0.25]))].concat();
        let node = [field(2, b"c"), field(5, &field(5, &constant))].concat();
        [vec![8, 7], field(7, &[field(1, &node), field(5, &weights)].concat())].concat()
    }

    #[test]
    fn weights_and_constants_are_found_by_name_and_shape() {
        let mut tensors = Tensors::read("a test", &model()).expect("a model");
        assert_eq!(tensors.len(), 2);
        assert!(tensors.take("a test", "w", &[1, 2]).is_err());
        let mut tensors = Tensors::read("a test", &model()).expect("a model");
        assert_eq!(tensors.take("a test", "w", &[2, 1]).expect("weights"), [1.5, -2.0]);
        assert_eq!(tensors.take("a test", "c", &[1]).expect("a constant"), [0.25]);
        let error = tensors.take("a test", "x", &[1]).expect_err("no such weights").to_string();
        assert_eq!(error, "a test is not the model this program knows: it has no weights named x");
    }

    #[test]
    fn what_is_cut_short_or_out_of_bounds_is_refused() {
        let whole = model();
        for len in 3..whole.len() {
            assert!(Tensors::read("a test", &whole[..len]).is_err(), "cut at {len}");
        }
        let tensor = |dims: &[u8], values: &[f32]| {
            let tensor = [field(1, dims), vec![16, 1], field(8, b"w"), field(9, &floats(values))].concat();
            Tensors::read("a test", &field(7, &field(5, &tensor)))
        };
        assert!(tensor(&[2], &[1.0, 2.0]).is_ok());
        assert!(tensor(&[3], &[1.0, 2.0]).is_err());
        let mut none = tensor(&[2], &[1.0, f32::NAN]).expect("a file");
        assert!(none.take("a test", "w", &[2]).is_err());
        assert!(tensor(&[1, 1, 1, 1, 1, 1, 1, 1, 2], &[1.0, 2.0]).is_err());
        // 2^56 squared is more than there is.
        let huge = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
        assert!(tensor(&[huge, huge].concat(), &[]).is_err());
    }
}
