//! One caller's room to compute in, and the steps that a search through the decoder is made of.

use std::fmt;

use base::SAMPLE_RATE_HZ;

use crate::AsrError;
use crate::decoder::{self, Heard};
use crate::encoder;
use crate::mel::{self, BANDS};
use crate::tree::Tree;
use crate::weights::Sizes;
use crate::whisper::{Options, SECONDS_MAX, Whisper};

/// Paths that are taken a step on at once.
pub const PATHS_MAX: usize = 256;

/// Tokens of a prompt: half of the positions that the decoder has, as in Whisper itself.
pub const PROMPT_TOKENS_MAX: usize = 224;

/// Room for what one caller's requests compute, and the request that it holds. Made once by [`Whisper::session`] and used
/// for one request after another: the steps of a warm one allocate nothing.
pub struct Session {
    sizes: Sizes,
    request: u32,
    pub(crate) mel: mel::Scratch,
    pub(crate) encoder: encoder::Scratch,
    pub(crate) heard: Heard,
    pub(crate) decoder: decoder::Scratch,
    pub(crate) tree: Tree,
    pub(crate) scores: Vec<f32>,
    pub(crate) later_scores: Vec<f32>,
    nodes: Vec<u32>,
    tokens: Vec<u32>,
}

/// The tokens so far on one way through the decoder. A copy goes its own way; what copies share is there once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    pub(crate) node: u32,
    request: u32,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("model", &self.sizes).finish_non_exhaustive()
    }
}

impl Session {
    /// Gives back the room of all tokens that are on none of these paths; other paths must not be used any more.
    pub fn keep(&mut self, paths: &[Path]) {
        self.tree.keep(paths.iter().filter(|path| path.request == self.request).map(|path| path.node));
    }
}

impl Whisper {
    /// Room to compute in, for this model.
    #[must_use]
    pub fn session(&self) -> Session {
        Session {
            sizes: *self.decoder.sizes(),
            request: 0,
            mel: mel::Scratch::default(),
            encoder: encoder::Scratch::default(),
            heard: Heard::default(),
            decoder: decoder::Scratch::default(),
            tree: self.decoder.tree(),
            scores: Vec::new(),
            later_scores: Vec::new(),
            nodes: Vec::new(),
            tokens: Vec::new(),
        }
    }

    /// Listens to `sound` (16 kHz, full scale 1, at most [`SECONDS_MAX`]), which begins a new request. Whether there was
    /// anything to hear: digital silence has no paths.
    ///
    /// # Errors
    ///
    /// Where the sound is too long, or the caller asked to stop.
    pub fn hear(&self, session: &mut Session, sound: &[f32], options: &Options<'_>) -> Result<bool, AsrError> {
        if SECONDS_MAX as usize * (SAMPLE_RATE_HZ as usize) < sound.len() {
            let seconds = sound.len() as f64 / f64::from(SAMPLE_RATE_HZ);
            return Err(AsrError::TooLong { seconds, limit: SECONDS_MAX });
        }
        if session.sizes != *self.decoder.sizes() {
            *session = self.session();
        }
        session.request = session.request.wrapping_add(1);
        session.tree.clear();
        if sound.iter().all(|sample| *sample == 0.0 || !sample.is_finite()) {
            return Ok(false);
        }
        let Session { mel, encoder, heard, .. } = session;
        self.log_mel.compute_in(mel, sound);
        let n_frames = Self::frames(mel.frames.len() / BANDS, options.window);
        mel.frames.resize(n_frames * BANDS, 0.0);
        let encoded = self.encoder.encode(self.level, &mel.frames, encoder, options.stop)?;
        self.decoder.hear(self.level, encoded, heard);
        Ok(true)
    }

    /// The path that every transcript of the request begins with: what steers the decoder, and before it `prompt`, text
    /// that stands for what was said just before (empty for none).
    ///
    /// # Errors
    ///
    /// Where the prompt is too long, or has tokens that the model lacks.
    pub fn begin(&self, session: &mut Session, prompt: &[u32]) -> Result<Path, AsrError> {
        if PROMPT_TOKENS_MAX < prompt.len() {
            return Err(AsrError::NoRoom("the prompt is too long"));
        }
        let before = self.vocabulary.start_of_previous().filter(|_| !prompt.is_empty());
        if before.is_none() && !prompt.is_empty() {
            return Err(AsrError::NoRoom("the model takes no prompt"));
        }
        let mut tokens = std::mem::take(&mut session.tokens);
        tokens.clear();
        tokens.extend(before.iter().chain(prompt).chain(self.vocabulary.prompt()));
        let path = self.walk(session, None, &tokens);
        session.tokens = tokens;
        path
    }

    /// Each path with one more token: as many new paths into `extended` as there are old ones. The old ones stay.
    ///
    /// # Errors
    ///
    /// Where a path is another request's or full, there are more than [`PATHS_MAX`] or too many tokens on all of them, or
    /// a token does not exist.
    pub fn extend(
        &self,
        session: &mut Session,
        paths: &[Path],
        tokens: &[u32],
        extended: &mut Vec<Path>,
    ) -> Result<(), AsrError> {
        if PATHS_MAX < paths.len() || paths.len() != tokens.len() {
            return Err(AsrError::NoRoom("there are more paths than are taken at once, or not as many as tokens"));
        }
        self.check(session, paths)?;
        session.nodes.clear();
        for path in paths {
            session.nodes.push(session.tree.add(Some(path.node))?);
        }
        self.step(session, tokens)?;
        let request = session.request;
        extended.clear();
        extended.extend(session.nodes.iter().map(|node| Path { node: *node, request }));
        Ok(())
    }

    /// The score of every token to come next on `path`; their exponents are in proportion to the probabilities.
    ///
    /// # Errors
    ///
    /// Where the path is another request's.
    pub fn scores(&self, session: &mut Session, path: Path, scores: &mut Vec<f32>) -> Result<(), AsrError> {
        self.check(session, &[path])?;
        self.decoder.scores(self.level, &session.tree, &[path.node], &mut session.decoder, scores);
        Ok(())
    }

    /// The scores of `tokens` alone, at a small part of the work.
    ///
    /// # Errors
    ///
    /// Where the path is another request's.
    pub fn scores_of(
        &self,
        session: &mut Session,
        path: Path,
        tokens: &[u32],
        scores: &mut Vec<f32>,
    ) -> Result<(), AsrError> {
        self.check(session, &[path])?;
        self.decoder.scores_of(self.level, &session.tree, path.node, &mut session.decoder, tokens, scores);
        Ok(())
    }

    /// The path that a transcript begins with, the scores of what may come next on it, and, of the same pass over the
    /// weights, the scores after its very first token.
    pub(crate) fn begin_with_scores(&self, session: &mut Session, scores: &mut Vec<f32>) -> Result<Path, AsrError> {
        let path = self.begin(session, &[])?;
        let nodes = [path.node, session.nodes.first().copied().unwrap_or(path.node)];
        self.decoder.scores(self.level, &session.tree, &nodes, &mut session.decoder, scores);
        Ok(path)
    }

    /// Takes one token after another, all in one step.
    pub(crate) fn walk(&self, session: &mut Session, from: Option<Path>, tokens: &[u32]) -> Result<Path, AsrError> {
        self.check(session, from.as_slice())?;
        session.nodes.clear();
        let mut parent = from.map(|path| path.node);
        for _ in tokens {
            let node = session.tree.add(parent)?;
            session.nodes.push(node);
            parent = Some(node);
        }
        self.step(session, tokens)?;
        let node = parent.ok_or(AsrError::NoRoom("a path has at least one token"))?;
        Ok(Path { node, request: session.request })
    }

    fn step(&self, session: &mut Session, tokens: &[u32]) -> Result<(), AsrError> {
        let Session { heard, tree, decoder, nodes, .. } = session;
        self.decoder.step(self.level, heard, tree, decoder, nodes, tokens)
    }

    fn check(&self, session: &Session, paths: &[Path]) -> Result<(), AsrError> {
        let is_known = |path: &Path| path.request == session.request && session.tree.has(path.node);
        if session.sizes == *self.decoder.sizes() && paths.iter().all(is_known) {
            Ok(())
        } else {
            Err(AsrError::NoRoom("a path is of another request"))
        }
    }
}
