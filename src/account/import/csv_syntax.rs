//! Syntax of a CSV file: delimiter, quotes and escapes.

/// The syntax of a CSV file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CsvSyntax {
    pub delimiter: char,
    pub quote: Quote,
    pub escape: Escape,
}

/// What encloses a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quote {
    /// Double quotes, doubled inside a cell (RFC 4180).
    Double,
    /// Nothing: a quote is part of the cell.
    None,
}

/// The meaning of a backslash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// It escapes the next character, as in MySQL.
    Backslash,
    /// It is part of the cell.
    None,
}
