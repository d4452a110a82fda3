//! What a grammar and a text may cost. Each limit is far above what people write (all of Home Assistant's English
//! sentences are 862 templates, the longest of 400 characters, and 52,000 letter nodes) and far below what would hurt.

/// Characters of one template.
pub const TEMPLATE_CHARS_MAX: usize = 8_192;

/// Brackets within brackets in one template. The parser calls itself once a level.
pub const NESTING_MAX: usize = 32;

/// Characters in the name of a rule, list or slot.
pub const NAME_CHARS_MAX: usize = 64;

/// Items of one permutation: `n` items make `2^n` nodes.
pub const PERMUTATION_ITEMS_MAX: usize = 6;

/// Numbers in one range.
pub const RANGE_NUMBERS_MAX: u64 = 20_001;

/// The largest number, either side of zero, that a range may reach: what [`crate::numbers`] has words for.
pub const RANGE_REACH_MAX: i64 = 999_999;

/// Rules that call rules that call rules: how deep.
pub const CALL_DEPTH_MAX: usize = 32;

/// Nodes of a whole grammar, which bounds its memory to some 100 MB.
pub const NODES_MAX: usize = 2_000_000;

/// Letters of a text that is looked up; no 15 seconds of speech hold more.
pub const TEXT_LETTERS_MAX: usize = 2_000;

/// Readings of one text that are returned.
pub const PARSES_MAX: usize = 64;

/// Ways to reach one place of the automaton with one letter that are followed further; the cheapest stay.
pub const WAYS_PER_PLACE_MAX: usize = 16;

/// Edges that one text may try before the search is cut off (some 100 ms).
pub const EDGES_PER_TEXT_MAX: u64 = 4_000_000;

/// States that one walker remembers.
pub const WALKER_STATES_MAX: usize = 1_000_000;

/// Places that one walker's state may hold; a state with more is a dead end.
pub const PLACES_PER_STATE_MAX: usize = 100_000;
