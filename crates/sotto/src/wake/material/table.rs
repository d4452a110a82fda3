//! Tables with tabs, names on top.

use std::path::Path;

use crate::failure::Failure;

/// A tab-separated table with a line of names on top.
#[derive(Debug)]
pub(crate) struct Table {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// One line of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'t> {
    table: &'t Table,
    cells: &'t [String],
}

impl Table {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text =
            std::fs::read_to_string(path).map_err(|why| Failure::usage(format!("{}: {why}", path.display())))?;
        let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
        let names = lines.next().unwrap_or_default();
        Ok(Self { names, rows: lines.collect() })
    }

    /// All lines but the first.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { table: self, cells })
    }
}

impl<'t> Row<'t> {
    /// The cell under `name`; empty where there is none.
    pub(crate) fn get(self, name: &str) -> &'t str {
        let column = self.table.names.iter().position(|known| known == name);
        column.and_then(|column| self.cells.get(column)).map_or("", String::as_str)
    }

    /// The cell's seconds as samples; 0 where it holds none.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "places in recordings of half an hour"
    )]
    pub(crate) fn samples(self, name: &str) -> usize {
        (self.get(name).parse::<f64>().unwrap_or(0.0).max(0.0) * f64::from(base::SAMPLE_RATE_HZ)) as usize
    }
}
