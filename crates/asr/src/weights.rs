//! From a file's arrays to the layers of the network, with every shape and number checked.

use half::f16;

use crate::AsrError;
use crate::math::LayerNorm;
use crate::matrix::{HalfLinear, Linear};
use crate::model_file::{ModelFile, Numbers};

/// A reader of arrays below one name, such as `encoder/layer_0/`.
#[derive(Clone)]
pub(crate) struct Source<'a> {
    file: &'a ModelFile<'a>,
    prefix: String,
}

impl<'a> Source<'a> {
    pub(crate) fn new(file: &'a ModelFile<'a>, prefix: &str) -> Self {
        Self { file, prefix: prefix.to_owned() }
    }

    /// The arrays below `name` below this one.
    pub(crate) fn below(&self, name: &str) -> Self {
        Self { file: self.file, prefix: format!("{}{name}/", self.prefix) }
    }

    fn bad(&self, name: &str, reason: &'static str) -> AsrError {
        AsrError::BadArray { name: format!("{}{name}", self.prefix), reason }
    }

    /// Whether there is an array of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.file.get(&format!("{}{name}", self.prefix)).is_some()
    }

    /// A matrix's sizes.
    pub(crate) fn sizes<const N: usize>(&self, name: &str) -> Result<[usize; N], AsrError> {
        let array = self.file.get(&format!("{}{name}", self.prefix)).ok_or_else(|| self.bad(name, "is missing"))?;
        array.shape.as_slice().try_into().map_err(|_| self.bad(name, "has the wrong number of dimensions"))
    }

    /// A single small integer.
    pub(crate) fn integer(&self, name: &str) -> Result<usize, AsrError> {
        let array = self.file.get(&format!("{}{name}", self.prefix)).ok_or_else(|| self.bad(name, "is missing"))?;
        match (array.shape.as_slice(), array.bytes) {
            ([], [byte]) => Ok(usize::from(*byte)),
            ([], [low, high]) => Ok(usize::from(u16::from_le_bytes([*low, *high]))),
            _ => Err(self.bad(name, "is not a small integer")),
        }
    }

    /// The bits of an f16 array of this shape, all of them finite.
    fn halves(&self, name: &str, shape: &[usize]) -> Result<Vec<u16>, AsrError> {
        let array = self.file.get(&format!("{}{name}", self.prefix)).ok_or_else(|| self.bad(name, "is missing"))?;
        if array.shape != shape {
            return Err(self.bad(name, "has the wrong shape"));
        }
        if array.numbers != Numbers::F16 {
            return Err(self.bad(name, "is not f16"));
        }
        let bits: Vec<u16> = array.bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        if bits.iter().all(|bits| f16::from_bits(*bits).is_finite()) {
            Ok(bits)
        } else {
            Err(self.bad(name, "has values that are not numbers"))
        }
    }

    /// An f16 array of this shape, as f32.
    pub(crate) fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, AsrError> {
        Ok(self.halves(name, shape)?.into_iter().map(|bits| f16::from_bits(bits).to_f32()).collect())
    }

    pub(crate) fn linear(&self, outputs: usize, inputs: usize) -> Result<Linear, AsrError> {
        let weights = self.floats("weight", &[outputs, inputs])?;
        Ok(Linear { weights, bias: self.floats("bias", &[outputs])?, inputs })
    }

    pub(crate) fn half_linear(&self, outputs: usize, inputs: usize) -> Result<HalfLinear, AsrError> {
        Ok(HalfLinear { bias: self.floats("bias", &[outputs])?, ..self.half_rows("weight", outputs, inputs)? })
    }

    /// A matrix without a bias.
    pub(crate) fn half_rows(&self, name: &str, outputs: usize, inputs: usize) -> Result<HalfLinear, AsrError> {
        Ok(HalfLinear { weights: self.halves(name, &[outputs, inputs])?, bias: Vec::new(), inputs })
    }

    /// A convolution over three frames: [out, in, 3] in the file, [out, 3 · in] here, so that three frames that lie side by
    /// side are one row.
    pub(crate) fn convolution(&self, outputs: usize, inputs: usize) -> Result<Linear, AsrError> {
        let from = self.floats("weight", &[outputs, inputs, 3])?;
        let mut weights = vec![0.0; from.len()];
        for (from, to) in from.chunks_exact(inputs * 3).zip(weights.chunks_exact_mut(inputs * 3)) {
            for (i, value) in from.iter().enumerate() {
                to[i % 3 * inputs + i / 3] = *value;
            }
        }
        Ok(Linear { weights, bias: self.floats("bias", &[outputs])?, inputs: inputs * 3 })
    }

    pub(crate) fn layer_norm(&self, width: usize) -> Result<LayerNorm, AsrError> {
        let source = self.below("layer_norm");
        Ok(LayerNorm { gamma: source.floats("gamma", &[width])?, beta: source.floats("beta", &[width])? })
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
