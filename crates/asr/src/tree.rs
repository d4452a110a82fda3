//! The tokens of many paths through the decoder as one tree: what paths share is there once, and a fork costs nothing.

use crate::AsrError;

/// Tokens that a request's paths may have in all: a beam of two dozen over a long sentence, several times over.
const NODES_MAX: usize = 4_096;

/// "No token before this one."
const NONE: u32 = u32::MAX;

/// Each token's keys and values in every layer, and the state that scores what comes after it.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The token before each.
    parents: Vec<u32>,
    is_kept: Vec<bool>,
    free: Vec<u32>,
    memories: Vec<f32>,
    states: Vec<f32>,
    memory_len: usize,
    state_len: usize,
}

impl Tree {
    /// An empty tree whose tokens have so many numbers of memory and of state.
    pub(crate) fn new(memory_len: usize, state_len: usize) -> Self {
        Self {
            parents: Vec::new(),
            is_kept: Vec::new(),
            free: Vec::new(),
            memories: Vec::new(),
            states: Vec::new(),
            memory_len,
            state_len,
        }
    }

    /// Forgets every path; the room stays.
    pub(crate) fn clear(&mut self) {
        self.parents.clear();
        self.free.clear();
    }

    /// Room for a token after `parent`, or for a first one.
    pub(crate) fn add(&mut self, parent: Option<u32>) -> Result<u32, AsrError> {
        let parent = parent.unwrap_or(NONE);
        if let Some(node) = self.free.pop() {
            self.parents[node as usize] = parent;
            return Ok(node);
        }
        let n_nodes = self.parents.len();
        let node = u32::try_from(n_nodes).ok().filter(|_| n_nodes < NODES_MAX);
        let node = node.ok_or(AsrError::NoRoom("the paths through the decoder have too many tokens"))?;
        self.parents.push(parent);
        // What was cleared before left its room behind.
        if self.memories.len() < (n_nodes + 1) * self.memory_len {
            self.memories.resize((n_nodes + 1) * self.memory_len, 0.0);
            self.states.resize((n_nodes + 1) * self.state_len, 0.0);
        }
        Ok(node)
    }

    /// Gives back the room of all tokens that are on none of the paths that end in `ends`.
    pub(crate) fn keep(&mut self, ends: impl Iterator<Item = u32>) {
        self.is_kept.clear();
        self.is_kept.resize(self.parents.len(), false);
        for end in ends {
            let mut node = end;
            while let Some(is_kept) = self.is_kept.get_mut(node as usize) {
                if *is_kept {
                    break;
                }
                *is_kept = true;
                node = self.parents[node as usize];
            }
        }
        self.free.clear();
        self.free.extend((0..).zip(&self.is_kept).filter(|(_, is_kept)| !**is_kept).map(|(node, _)| node));
    }

    /// Whether there is such a token.
    pub(crate) fn has(&self, node: u32) -> bool {
        (node as usize) < self.parents.len()
    }

    /// Appends the tokens of the path that ends in `node`, the last first. No longer than the tree, whatever was freed
    /// and used again below a path that was not kept.
    pub(crate) fn chain(&self, node: u32, chain: &mut Vec<u32>) {
        let (mut node, mut left) = (node, self.parents.len());
        while let (Some(parent), 1..) = (self.parents.get(node as usize), left) {
            chain.push(node);
            node = *parent;
            left -= 1;
        }
    }

    /// All memories, to be read at [`Tree::memory_at`].
    pub(crate) fn memories(&self) -> &[f32] {
        &self.memories
    }

    pub(crate) fn memory_at(&self, node: u32) -> usize {
        node as usize * self.memory_len
    }

    pub(crate) fn memory_mut(&mut self, node: u32) -> &mut [f32] {
        &mut self.memories[node as usize * self.memory_len..][..self.memory_len]
    }

    pub(crate) fn state(&self, node: u32) -> &[f32] {
        &self.states[node as usize * self.state_len..][..self.state_len]
    }

    pub(crate) fn state_mut(&mut self, node: u32) -> &mut [f32] {
        &mut self.states[node as usize * self.state_len..][..self.state_len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(tree: &Tree, node: u32) -> Vec<u32> {
        let mut chain = Vec::new();
        tree.chain(node, &mut chain);
        chain
    }

    #[test]
    fn forks_share_what_came_before_and_what_is_not_kept_is_used_again() {
        let mut tree = Tree::new(2, 1);
        let mut add = |parent| tree.add(parent).expect("there is room");
        let root = add(None);
        let (left, right) = (add(Some(root)), add(Some(root)));
        let leaf = add(Some(left));
        assert_eq!((chain(&tree, leaf), chain(&tree, right)), (vec![leaf, left, root], vec![right, root]));
        tree.keep([right].into_iter());
        let again = [tree.add(Some(right)), tree.add(Some(right))].map(|node| node.expect("there is room"));
        assert!(again.contains(&left) && again.contains(&leaf));
        assert_eq!(chain(&tree, again[0]), [again[0], right, root]);
        assert_eq!(tree.add(None).expect("there is room"), 4);
    }

    #[test]
    fn a_tree_has_a_largest_size_and_stale_paths_end() {
        let mut tree = Tree::new(1, 1);
        for _ in 0..NODES_MAX {
            tree.add(None).expect("there is room");
        }
        assert!(matches!(tree.add(None), Err(AsrError::NoRoom(_))));
        tree.clear();
        assert!(!tree.has(0) && chain(&tree, 7).is_empty());
        let (first, second) = (tree.add(Some(1)).expect("room"), tree.add(Some(0)).expect("room"));
        assert!(chain(&tree, first).len() <= 2 && chain(&tree, second).len() <= 2, "a ring has an end");
    }
}
