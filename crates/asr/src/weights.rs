//! From a file's arrays to the layers of the network, with every shape and number checked.

use std::sync::Arc;

use crate::AsrError;
use crate::compact::{CompactFile, Entry};
use crate::kernel::LANES;
use crate::math::LayerNorm;
use crate::matrix::{Convolution, Linear};

/// A reader of arrays below one name, such as `encoder/layer_0/`.
#[derive(Clone)]
pub(crate) struct Source<'a> {
    file: &'a CompactFile,
    prefix: String,
}

impl<'a> Source<'a> {
    pub(crate) fn new(file: &'a CompactFile, prefix: &str) -> Self {
        Self { file, prefix: prefix.to_owned() }
    }

    /// The arrays below `name` below this one.
    pub(crate) fn below(&self, name: &str) -> Self {
        Self { file: self.file, prefix: format!("{}{name}/", self.prefix) }
    }

    fn bad(&self, name: &str, reason: &'static str) -> AsrError {
        AsrError::BadArray { name: format!("{}{name}", self.prefix), reason }
    }

    fn entry(&self, name: &str) -> Result<&'a Entry, AsrError> {
        self.file.entries.get(&format!("{}{name}", self.prefix)).ok_or_else(|| self.bad(name, "is missing"))
    }

    /// Whether there is an array of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entry(name).is_ok()
    }

    /// An array's rows and columns.
    pub(crate) fn sizes(&self, name: &str) -> Result<[usize; 2], AsrError> {
        match self.entry(name)? {
            Entry::Numbers { shape, .. } | Entry::Matrix { shape, .. } => Ok(*shape),
            Entry::Text(_) => Err(self.bad(name, "is not an array")),
        }
    }

    /// A single small integer.
    pub(crate) fn integer(&self, name: &str) -> Result<usize, AsrError> {
        let number = self.floats(name, [1, 1])?[0];
        let is_integer = (0.0..=f32::from(u16::MAX)).contains(&number) && number.fract() == 0.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was just looked at")]
        if is_integer { Ok(number as usize) } else { Err(self.bad(name, "is not a small integer")) }
    }

    /// Numbers of the head, all of them finite.
    fn numbers(&self, name: &str, data: std::ops::Range<usize>) -> Result<Vec<f32>, AsrError> {
        let numbers: Vec<f32> =
            self.file.head[data].as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        if numbers.iter().all(|number| number.is_finite()) {
            Ok(numbers)
        } else {
            Err(self.bad(name, "has values that are not numbers"))
        }
    }

    /// An array of this many rows and columns.
    pub(crate) fn floats(&self, name: &str, expected: [usize; 2]) -> Result<Vec<f32>, AsrError> {
        match self.entry(name)? {
            Entry::Numbers { shape, data } if *shape == expected => self.numbers(name, data.clone()),
            _ => Err(self.bad(name, "has the wrong shape")),
        }
    }

    pub(crate) fn linear(&self, outputs: usize, inputs: usize) -> Result<Linear, AsrError> {
        let mut bias = self.floats("bias", [1, outputs])?;
        bias.resize(outputs.next_multiple_of(LANES), 0.0);
        Ok(Linear { bias, ..self.rows("weight", outputs, inputs)? })
    }

    /// A matrix without a bias.
    pub(crate) fn rows(&self, name: &str, outputs: usize, inputs: usize) -> Result<Linear, AsrError> {
        match self.entry(name)? {
            Entry::Matrix { shape, scales, panels } if *shape == [outputs, inputs] => Ok(Linear {
                bytes: Arc::clone(&self.file.panels),
                panels: panels.clone(),
                scales: self.numbers(name, scales.clone())?,
                bias: Vec::new(),
                outputs,
                inputs,
            }),
            _ => Err(self.bad(name, "has the wrong shape")),
        }
    }

    /// A convolution over three frames that lie side by side as one row.
    pub(crate) fn convolution(&self, outputs: usize, inputs: usize) -> Result<Convolution, AsrError> {
        let weights = self.floats("weight", [outputs, 3 * inputs])?;
        Ok(Convolution { weights, bias: self.floats("bias", [1, outputs])?, inputs: inputs * 3 })
    }

    pub(crate) fn layer_norm(&self, width: usize) -> Result<LayerNorm, AsrError> {
        let source = self.below("layer_norm");
        Ok(LayerNorm { gamma: source.floats("gamma", [1, width])?, beta: source.floats("beta", [1, width])? })
    }
}

/// The sizes of a network, as its arrays say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Numbers that stand for one position.
    pub(crate) width: usize,
    pub(crate) heads: usize,
    pub(crate) layers: usize,
    /// Positions that have an encoding.
    pub(crate) positions: usize,
}

/// Sizes of the largest Whisper there is.
const WIDTH_MAX: usize = 1_280;
const LAYERS_MAX: usize = 32;

impl Sizes {
    /// Reads the sizes of `encoder` or `decoder`.
    pub(crate) fn read(source: &Source<'_>) -> Result<Self, AsrError> {
        let [positions, width] = source.below("position_encodings").sizes("encodings")?;
        let heads = source.integer("num_heads")?;
        let layers = (0..=LAYERS_MAX).take_while(|i| source.has(&format!("layer_{i}/ffn/linear_0/weight"))).count();
        let fits = 0 < width && width <= WIDTH_MAX && 0 < heads && width % heads == 0;
        if !fits {
            return Err(AsrError::NotAModel("its width and heads do not fit"));
        }
        if layers == 0 || LAYERS_MAX < layers {
            return Err(AsrError::NotAModel("its number of layers is out of range"));
        }
        Ok(Self { width, heads, layers, positions })
    }

    pub(crate) const fn head_width(&self) -> usize {
        self.width / self.heads
    }

    /// The scale that is put on scores of attention.
    pub(crate) fn attention_scale(&self) -> f32 {
        1.0 / (self.head_width() as f32).sqrt()
    }
}
