//! What the gateway writes into the log: so many lines of a kind a minute.

/// A line of that kind, unless it has had its lines for this minute.
macro_rules! log_line {
    ($lines:expr, $level:ident, $kind:literal $(, $($field:tt)+)?) => {
        if $lines.admits($kind) {
            tracing::$level!($($($field)+,)? $kind);
        }
    };
}

pub(crate) use log_line;
