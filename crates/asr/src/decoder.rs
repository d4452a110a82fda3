//! The decoder: from what the encoder heard and the tokens so far to a score for each token that may come next.
//!
//! Paths through the decoder are a tree of tokens ([`Tree`]): a path is its last token, and a copy of it goes its own way.

use crate::AsrError;
use crate::kernel::Level;
use crate::math::{LayerNorm, NullaryFnOnce, dot, gelu, softmax_row, vectorised};
use crate::matrix::{IntegerRows, Into, Linear};
use crate::tree::Tree;
use crate::weights::{Sizes, Source};

/// Positions of every Whisper's decoder; a few more are no use, many fewer not a Whisper.
const POSITIONS_MAX: usize = 1_024;

/// Tokens of the largest Whisper, and room for rows that only fill up.
const TOKENS_MAX: usize = 1 << 16;

#[derive(Debug)]
pub(crate) struct Decoder {
    sizes: Sizes,
    /// A row for each token, to begin with and to score with.
    embeddings: Linear,
    positions: Vec<f32>,
    layers: Vec<Layer>,
    norm: LayerNorm,
}

#[derive(Debug)]
struct Layer {
    own_norm: LayerNorm,
    own_in: Linear,
    own_out: Linear,
    cross_norm: LayerNorm,
    cross_query: Linear,
    /// Keys and values of what was heard, side by side.
    cross_in: Linear,
    cross_out: Linear,
    feed_norm: LayerNorm,
    feed_in: Linear,
    feed_out: Linear,
    /// The heads whose look at what was heard tells when a token was said.
    telling_heads: Vec<usize>,
}

/// What was heard, as each layer's keys and values: computed once, shared by every path through the decoder.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    layers: Vec<Vec<f32>>,
    integers: IntegerRows,
}

/// Room for what a step computes, used again by the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    x: Vec<f32>,
    normed: Vec<f32>,
    integers: IntegerRows,
    attention: Vec<f32>,
    query: Vec<f32>,
    mixed: Vec<f32>,
    feed: Vec<f32>,
    weights: Vec<f32>,
    /// The tokens of each path, one path after another, and where each ends.
    chains: Vec<u32>,
    chain_ends: Vec<usize>,
    /// How much the step's last token looks at each position of what was heard: the sum over the heads that tell.
    looks: Vec<f32>,
}

impl Decoder {
    pub(crate) fn read(source: &Source<'_>) -> Result<Self, AsrError> {
        let sizes = Sizes::read(source)?;
        if POSITIONS_MAX < sizes.positions {
            return Err(AsrError::NotAModel("its decoder has too many positions"));
        }
        let width = sizes.width;
        let [n_tokens, _] = source.below("embeddings").sizes("weight")?;
        if TOKENS_MAX < n_tokens {
            return Err(AsrError::NotAModel("it has too many tokens"));
        }
        let layer = |i| Layer::read(&source.below(&format!("layer_{i}")), width);
        Ok(Self {
            sizes,
            embeddings: source.below("embeddings").rows("weight", n_tokens, width)?,
            positions: source.below("position_encodings").floats("encodings", [sizes.positions, width])?,
            layers: (0..sizes.layers).map(layer).collect::<Result<_, _>>()?,
            norm: source.layer_norm(width)?,
        })
    }

    /// Tells which heads look where they listen: pairs of layer and head.
    pub(crate) fn set_telling_heads(&mut self, heads: &[[usize; 2]]) {
        for (number, layer) in self.layers.iter_mut().enumerate() {
            layer.telling_heads = heads.iter().filter(|[layer, _]| *layer == number).map(|[_, head]| *head).collect();
        }
    }

    pub(crate) const fn sizes(&self) -> &Sizes {
        &self.sizes
    }

    pub(crate) fn n_tokens(&self) -> usize {
        self.embeddings.outputs
    }

    /// A tree for this decoder's tokens.
    pub(crate) fn tree(&self) -> Tree {
        Tree::new(2 * self.sizes.layers * self.sizes.width, self.sizes.width)
    }

    /// The keys and values of what the encoder made.
    pub(crate) fn hear(&self, level: Level, encoded: &[f32], heard: &mut Heard) {
        let width = self.sizes.width;
        let n_numbers = encoded.len() * 2;
        heard.integers.take(encoded, width);
        heard.layers.resize_with(self.layers.len(), Vec::new);
        for (layer, out) in self.layers.iter().zip(&mut heard.layers) {
            out.resize(n_numbers, 0.0);
            layer.cross_in.apply(level, &heard.integers, out, Into::Replace);
        }
    }

    /// Computes the states of `nodes`, which were put into the tree with `tokens` one by one: a token may follow another
    /// of the same call.
    pub(crate) fn step(
        &self,
        level: Level,
        heard: &Heard,
        tree: &mut Tree,
        scratch: &mut Scratch,
        nodes: &[u32],
        tokens: &[u32],
    ) -> Result<(), AsrError> {
        let width = self.sizes.width;
        scratch.resize(width, nodes.len());
        scratch.chains.clear();
        scratch.chain_ends.clear();
        for ((x, node), token) in scratch.x.chunks_exact_mut(width).zip(nodes).zip(tokens) {
            let token = usize::try_from(*token).ok().filter(|token| *token < self.n_tokens());
            let token = token.ok_or(AsrError::NoRoom("the model has no such token"))?;
            tree.chain(*node, &mut scratch.chains);
            let before = scratch.chain_ends.last().copied().unwrap_or(0);
            let position = scratch.chains.len() - before - 1;
            scratch.chain_ends.push(scratch.chains.len());
            let position = self.positions.chunks_exact(width).nth(position);
            let position =
                position.ok_or(AsrError::NoRoom("a path has as many tokens as the model has positions"))?;
            let embedding = self.embeddings.row(token).zip(position);
            x.iter_mut().zip(embedding).for_each(|(x, (embedding, position))| *x = embedding + position);
        }
        let n_positions = heard.layers.first().map_or(0, |layer| layer.len() / (2 * width));
        scratch.looks.clear();
        scratch.looks.resize(n_positions, 0.0);
        for (number, (layer, heard)) in self.layers.iter().zip(&heard.layers).enumerate() {
            layer.step(level, scratch, tree, nodes, number, heard, &self.sizes);
        }
        self.norm.apply(&scratch.x, &mut scratch.normed);
        for (node, normed) in nodes.iter().zip(scratch.normed.chunks_exact(width)) {
            tree.state_mut(*node).copy_from_slice(normed);
        }
        Ok(())
    }

    /// The score of every token to come after each of `nodes`, one node after another.
    pub(crate) fn scores(
        &self,
        level: Level,
        tree: &Tree,
        nodes: &[u32],
        scratch: &mut Scratch,
        scores: &mut Vec<f32>,
    ) {
        scratch.x.clear();
        nodes.iter().for_each(|node| scratch.x.extend_from_slice(tree.state(*node)));
        scratch.integers.take(&scratch.x, self.sizes.width);
        scores.resize(nodes.len() * self.n_tokens(), 0.0);
        self.embeddings.apply(level, &scratch.integers, scores, Into::Replace);
    }

    /// The scores of `tokens` to come after a node; of one that does not exist, the least there is.
    pub(crate) fn scores_of(
        &self,
        level: Level,
        tree: &Tree,
        node: u32,
        scratch: &mut Scratch,
        tokens: &[u32],
        scores: &mut Vec<f32>,
    ) {
        scratch.integers.take(tree.state(node), self.sizes.width);
        let known = |token: &u32| usize::try_from(*token).ok().filter(|token| *token < self.n_tokens());
        let score = |token| self.embeddings.apply_one(level, &scratch.integers, token);
        scores.clear();
        scores.extend(tokens.iter().map(|token| known(token).map_or(f32::MIN, score)));
    }
}

impl Scratch {
    /// The position before and after which the last token of the last step looks as much.
    pub(crate) fn heard_at(&self) -> f32 {
        let half = self.looks.iter().sum::<f32>() / 2.0;
        let mut sum = 0.0;
        let is_half = |look: &f32| {
            sum += look;
            half <= sum
        };
        self.looks.iter().position(is_half).unwrap_or(0) as f32
    }

    fn resize(&mut self, width: usize, n_rows: usize) {
        let each = [
            (&mut self.x, 1),
            (&mut self.normed, 1),
            (&mut self.attention, 3),
            (&mut self.query, 1),
            (&mut self.mixed, 1),
            (&mut self.feed, 4),
        ];
        each.into_iter().for_each(|(numbers, n)| numbers.resize(n_rows * n * width, 0.0));
    }
}

impl Layer {
    fn read(source: &Source<'_>, width: usize) -> Result<Self, AsrError> {
        let own = source.below("self_attention");
        let cross = source.below("attention");
        let feed = source.below("ffn");
        Ok(Self {
            own_norm: own.layer_norm(width)?,
            own_in: own.below("linear_0").linear(3 * width, width)?,
            own_out: own.below("linear_1").linear(width, width)?,
            cross_norm: cross.layer_norm(width)?,
            cross_query: cross.below("linear_0").linear(width, width)?,
            cross_in: cross.below("linear_1").linear(2 * width, width)?,
            cross_out: cross.below("linear_2").linear(width, width)?,
            feed_norm: feed.layer_norm(width)?,
            feed_in: feed.below("linear_0").linear(4 * width, width)?,
            feed_out: feed.below("linear_1").linear(width, 4 * width)?,
            telling_heads: Vec::new(),
        })
    }

    #[expect(clippy::too_many_arguments, reason = "a layer's inputs, each of another kind")]
    fn step(
        &self,
        level: Level,
        scratch: &mut Scratch,
        tree: &mut Tree,
        nodes: &[u32],
        number: usize,
        heard: &[f32],
        sizes: &Sizes,
    ) {
        let Scratch { x, normed, integers, attention, query, mixed, feed, weights, chains, chain_ends, looks } =
            scratch;
        let width = sizes.width;
        self.own_norm.apply(x, normed);
        integers.take(normed, width);
        self.own_in.apply(level, integers, attention, Into::Replace);
        // A token's own key and value must be there before it, or one after it in this call, attends to them.
        for (node, attention) in nodes.iter().zip(attention.chunks_exact(3 * width)) {
            tree.memory_mut(*node)[number * 2 * width..][..2 * width].copy_from_slice(&attention[width..]);
        }
        let mut start = 0;
        for ((attention, mixed), end) in
            attention.chunks_exact(3 * width).zip(mixed.chunks_exact_mut(width)).zip(chain_ends.iter())
        {
            let places = chains[start..*end].iter().map(|node| tree.memory_at(*node) + number * 2 * width);
            attend(&attention[..width], tree.memories(), places, weights, mixed, sizes, &mut |_, _| ());
            start = *end;
        }
        integers.take(mixed, width);
        self.own_out.apply(level, integers, x, Into::Add);

        self.cross_norm.apply(x, normed);
        integers.take(normed, width);
        self.cross_query.apply(level, integers, query, Into::Replace);
        let n_rows = nodes.len();
        for (row, (query, mixed)) in query.chunks_exact(width).zip(mixed.chunks_exact_mut(width)).enumerate() {
            let places = (0..heard.len()).step_by(2 * width);
            attend(query, heard, places, weights, mixed, sizes, &mut |head, weights| {
                if row + 1 == n_rows && self.telling_heads.contains(&head) {
                    looks.iter_mut().zip(weights).for_each(|(look, weight)| *look += weight);
                }
            });
        }
        integers.take(mixed, width);
        self.cross_out.apply(level, integers, x, Into::Add);

        self.feed_norm.apply(x, normed);
        integers.take(normed, width);
        self.feed_in.apply(level, integers, feed, Into::Replace);
        gelu(feed);
        integers.take(feed, 4 * width);
        self.feed_out.apply(level, integers, x, Into::Add);
    }
}

/// Each head's mix of values for one query; at each of `places` in `memory` stand a key and a value.
fn attend(
    query: &[f32],
    memory: &[f32],
    places: impl ExactSizeIterator<Item = usize> + Clone,
    weights: &mut Vec<f32>,
    mixed: &mut [f32],
    sizes: &Sizes,
    watch: &mut dyn FnMut(usize, &[f32]),
) {
    weights.resize(places.len(), 0.0);
    vectorised(Attention { query, memory, places, weights, mixed, sizes, watch });
}

struct Attention<'a, P> {
    query: &'a [f32],
    memory: &'a [f32],
    places: P,
    weights: &'a mut [f32],
    mixed: &'a mut [f32],
    sizes: &'a Sizes,
    /// Shown each head's weights.
    watch: &'a mut dyn FnMut(usize, &[f32]),
}

impl<P: Iterator<Item = usize> + Clone> NullaryFnOnce for Attention<'_, P> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let (width, head_width, scale) = (self.sizes.width, self.sizes.head_width(), self.sizes.attention_scale());
        for head in 0..self.sizes.heads {
            let at = head * head_width;
            let query = &self.query[at..at + head_width];
            for (weight, place) in self.weights.iter_mut().zip(self.places.clone()) {
                *weight = scale * dot(query, &self.memory[place + at..][..head_width]);
            }
            softmax_row(self.weights);
            (self.watch)(head, self.weights);
            let mixed = &mut self.mixed[at..at + head_width];
            mixed.fill(0.0);
            for (weight, place) in self.weights.iter().zip(self.places.clone()) {
                let value = &self.memory[place + width + at..][..head_width];
                for (mixed, value) in mixed.iter_mut().zip(value) {
                    *mixed += weight * value;
                }
            }
        }
    }
}
